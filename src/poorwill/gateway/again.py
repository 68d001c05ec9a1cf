"""Which requests may be sent to a service once more, and how often.

A connection that could not be made is made again for any request: nothing has reached the service yet.
What has reached it is repeated only when it asks and changes nothing (GET and HEAD, no upgrade), and the
service has only just begun to answer: some fail in their first seconds at what they do well ever after. An
error that is meant comes through after a few tries; nothing is repeated once the service is settled.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

Json = dict[str, Any]

FRESH = 5.0
"""Seconds after a service is let in on for which it counts as just begun."""

MOST = 10
"""How often one request is repeated: for about four seconds."""

_METHODS = ("GET", "HEAD")
_CODES = (500, 502, 503, 504)
_CONNECT = "connect-failure"
_ANY = "reset,retriable-status-codes"

_EVERY = 0.5
_EVERY_WHEN_FRESH = 1.0
"""Seconds, at most, between two tries; the pauses are random between 0 and this."""


def until_connected(hold: float) -> Json:
    """For every request. What passed the gate just before a crash was noticed is not asked about again: it is
    tried for as long as it would have been held, in seconds.
    """
    return _for_so_long(_CONNECT, hold)


def until_back(hold: float) -> Json:
    """For what Poorwill itself answers, such as a click: it may be killed in the middle of that and be back,
    and nothing there is done twice by being asked twice.
    """
    return _for_so_long(f"{_CONNECT},reset", hold)


def _for_so_long(when: str, hold: float) -> Json:
    return {
        "retry_on": when,
        "num_retries": max(12, ceil(2 * hold / _EVERY)),
        "retry_back_off": {"base_interval": "0.05s", "max_interval": f"{_EVERY:g}s"},
    }


def while_fresh() -> Json:
    return {
        "retry_on": f"{_CONNECT},{_ANY}",
        "retriable_status_codes": list(_CODES),
        "num_retries": MOST,
        "retry_back_off": {"base_interval": "0.1s", "max_interval": f"{_EVERY_WHEN_FRESH:g}s"},
    }


def harmless(match: Json) -> Json | None:
    """The part of a route's requests that may be repeated; None when there is none."""
    headers = match.get("headers", [])
    methods = [one["string_match"]["exact"] for one in headers if one["name"] == ":method"]
    if methods and methods[0] not in _METHODS:
        return None
    only = {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(_METHODS)}}}
    plain = {"name": "upgrade", "present_match": False}
    return {**match, "headers": [*headers, *([] if methods else [only]), plain]}


def granted(method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What the gate adds to a request that it lets through to a service that has just begun: Envoy reads it
    there, and does not send it on.
    """
    if method not in _METHODS or "upgrade" in headers:
        return {}
    return {
        "x-envoy-retry-on": _ANY,
        "x-envoy-retriable-status-codes": ",".join(map(str, _CODES)),
        "x-envoy-max-retries": str(MOST),
    }
