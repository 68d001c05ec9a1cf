"""Who is asking: a person at a browser, a program that can wait, or somebody who must not wake anything.

Most of the last kind never get as far as the gate: see ``bystanders``. Here the rule, first match wins:

1. A prefetch (``Sec-Purpose``, ``Purpose``, ``X-Moz``) or a link preview (by user agent): *ignored*.
2. ``HEAD``, and ``OPTIONS`` that is no CORS preflight: *ignored*. They ask about a thing, not for it, and
   are what monitors send.
3. A ``GET`` navigation (``Sec-Fetch-Dest: document``, ``iframe`` or ``frame``; without that header, an
   ``Accept`` that names ``text/html``): *page*. It gets the waiting page at once and wakes the service.
4. Everything else, a CORS preflight included (the real request follows it): *held*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from poorwill.gateway.bystanders import LIST, Kind, agents_regex


class Caller(StrEnum):
    PAGE = "page"
    HELD = "held"
    IGNORED = "ignored"


_PREVIEWS = re.compile(agents_regex(LIST[Kind.PREVIEW]))
_NAVIGATIONS = {"document", "iframe", "frame"}
_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)


def caller(method: str, headers: Mapping[str, str]) -> Caller:
    """Classify by method and headers (names in lower case)."""
    purposes = (headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    if any("prefetch" in purpose or "preview" in purpose for purpose in map(str.lower, purposes)):
        return Caller.IGNORED
    if method == "GET" and _PREVIEWS.match(headers.get("user-agent", "")):
        return Caller.IGNORED
    if method == "HEAD" or (method == "OPTIONS" and "access-control-request-method" not in headers):
        return Caller.IGNORED
    if method == "GET":
        destination = headers.get("sec-fetch-dest")
        if destination in _NAVIGATIONS:
            return Caller.PAGE
        if destination is None and "upgrade" not in headers and "text/html" in headers.get("accept", ""):
            return Caller.PAGE
    return Caller.HELD


def wants_html(headers: Mapping[str, str]) -> bool:
    return "text/html" in headers.get("accept", "")


def patience(headers: Mapping[str, str], hold: float) -> float:
    """Seconds this client is held at most: ``hold``, or its own ``Prefer: wait=N`` (RFC 7240) if shorter."""
    asked = _PREFER_WAIT.search(headers.get("prefer", ""))
    return min(hold, float(asked.group(1))) if asked else hold
