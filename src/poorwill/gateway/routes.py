"""Which request belongs to which service and traffic class, as Envoy's virtual hosts and routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from poorwill.gateway.clusters import Slots

Json = dict[str, Any]

EXT_AUTHZ = "envoy.filters.http.ext_authz"
RESERVED = "/.poorwill/"
"""Paths below this prefix belong to Poorwill on every host."""


def events_path(service: str) -> str:
    """Where the waiting page of a service hears how the wake goes on."""
    return f"{RESERVED}{service}/events"


def wake_path(service: str) -> str:
    """Where a person's click on the page of a sleeping service goes."""
    return f"{RESERVED}{service}/wake"


_RETRY_EVERY = 0.5
"""Seconds, at most, between two tries to connect to a service."""

_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
_DIRECT: Json = {EXT_AUTHZ: {"@type": _PER_ROUTE, "disabled": True}}


@dataclass(frozen=True, slots=True)
class Site:
    """Where visitors find a service. No hosts means all of them; ``path`` is "" or like ``/notes``.

    ``patterns`` maps the classes ``active``, ``background`` and ``busy`` to patterns: an exact path, a
    path with ``*`` (anything but a slash) and ``**`` (anything), ``/prefix/*`` (all below), each with an
    optional method in front (``POST /v1/*``). They are paths as the service sees them. ``hold`` is how many
    seconds a request may wait. While the service is ``paced``, requests that need one of its ``slots`` ask
    the gate although it is open.
    """

    service: str
    hosts: tuple[str, ...] = ()
    path: str = ""
    strip_path: bool = False
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hold: float = 0.0
    slots: Slots | None = None
    paced: bool = False


@dataclass(frozen=True, slots=True)
class Stray:
    """What Envoy itself answers to requests that belong to no service: 404, and nothing is woken.

    ``pages`` maps languages to HTML, the first being the default; ``other`` is JSON for everybody else.
    """

    pages: Mapping[str, str]
    other: str


def virtual_hosts(sites: Iterable[Site], open_services: frozenset[str], stray: Stray) -> list[Json]:
    """One virtual host for each host name, plus ``*`` for the unknown ones."""
    by_host: dict[str, list[Site]] = {"*": []}
    for site in sites:
        for host in site.hosts or ("*",):
            by_host.setdefault(host, []).append(site)
    everywhere = by_host["*"]
    hosts = []
    for host in sorted(by_host):
        here = by_host[host] if host == "*" else by_host[host] + everywhere
        here = sorted(here, key=lambda site: (-len(site.path), not site.hosts, site.service))
        rows = [row for site in here for row in _own_routes(site)]
        rows.append(
            _answer({"path_separated_prefix": RESERVED.rstrip("/")}, [], stray.other, "application/json")
        )
        rows += [row for site in here for row in _service_routes(site, open_services)]
        rows += _stray_routes(stray)
        hosts.append({"name": host, "domains": [host], "routes": rows})
    return hosts


def _own_routes(site: Site) -> list[Json]:
    return [
        {
            "match": {"prefix": f"{RESERVED}{site.service}/"},
            "route": {"cluster": "visitors", "timeout": "0s", "idle_timeout": "0s"},
            "typed_per_filter_config": _DIRECT,
        }
    ]


def _service_routes(site: Site, open_services: frozenset[str]) -> list[Json]:
    rows = [
        (pattern, kind)
        for kind in ("busy", "background", "active")
        for pattern in site.patterns.get(kind, ())
        if site.slots is None or pattern not in site.slots.paths
    ]
    rows += [(pattern, site.slots.kind) for pattern in site.slots.paths] if site.slots else []
    rows.sort(key=lambda row: ("*" in row[0], -len(row[0]), row[0]))  # the most specific first
    result = [_route(site, _match(site, pattern), kind, open_services) for pattern, kind in rows]
    # `path_separated_prefix: /notes` covers /notes and /notes/x but not /notesx
    rest = {"path_separated_prefix": site.path} if site.path else {"prefix": "/"}
    return [*result, _route(site, rest, "active", open_services)]


def _route(site: Site, match: Json, kind: str, open_services: frozenset[str]) -> Json:
    if site.slots and not site.slots.paths and kind != "background":
        kind = site.slots.kind
    needs_slot = site.slots is not None and kind == site.slots.kind
    told = {"service": site.service, "class": kind.rpartition("/")[2]}
    if needs_slot:
        told["slot"] = "needed"
    ask = {"@type": _PER_ROUTE, "check_settings": {"context_extensions": told}}
    direct = site.service in open_services and not (needs_slot and site.paced)
    action: Json = {
        "cluster": f"{site.service}/{kind}",
        "timeout": "0s",
        "idle_timeout": "0s",
        # Only where an endpoint has a name of its own; X-Forwarded-Host then tells the visitor's.
        "auto_host_rewrite": True,
        "append_x_forwarded_host": True,
        "retry_policy": {
            "retry_on": "connect-failure",  # nothing reached the service yet: safe for any method
            # What passed the gate just before a crash was noticed is not asked again: it is tried for as long
            # as it would have been held. The pauses are random between 0 and the interval.
            "num_retries": max(12, ceil(2 * site.hold / _RETRY_EVERY)),
            "retry_back_off": {"base_interval": "0.05s", "max_interval": f"{_RETRY_EVERY:g}s"},
        },
    }
    if site.path and site.strip_path:
        action["regex_rewrite"] = {
            "pattern": {"regex": f"^{re.escape(site.path)}/?"},
            "substitution": "/",
        }
    return {
        "match": match,
        "route": action,
        "typed_per_filter_config": _DIRECT if direct else {EXT_AUTHZ: ask},
    }


def _match(site: Site, pattern: str) -> Json:
    method, _, path = pattern.rpartition(" ")
    prefix = site.path if site.strip_path else ""
    match: Json
    if "*" not in path:
        match = {"path": prefix + path}
    else:
        match = {"safe_regex": {"regex": re.escape(prefix) + _regex(path)}}
    if method:
        match["headers"] = [{"name": ":method", "string_match": {"exact": method.upper()}}]
    return match


def _regex(glob: str) -> str:
    """A glob as RE2 over the whole path: ``**`` and a final ``*`` cross slashes, other ``*`` do not."""
    if glob.endswith("*") and not glob.endswith("**"):
        glob += "*"
    regex = ""
    for part in re.split(r"(\*\*|\*)", glob):
        if part == "**":
            regex += ".*"
        elif part == "*":
            regex += "[^/]*"
        else:
            regex += re.escape(part)
    return regex


def _stray_routes(stray: Stray) -> list[Json]:
    default, *others = stray.pages
    everything = {"prefix": "/"}
    html = {"name": "accept", "string_match": {"contains": "text/html"}}
    rows = []
    for language in others:
        spoken = {"name": "accept-language", "string_match": {"prefix": language, "ignore_case": True}}
        rows.append(_answer(everything, [html, spoken], stray.pages[language], "text/html; charset=utf-8"))
    rows.append(_answer(everything, [html], stray.pages[default], "text/html; charset=utf-8"))
    rows.append(_answer(everything, [], stray.other, "application/json"))
    return rows


def _answer(place: Json, headers: list[Json], body: str, content_type: str) -> Json:
    header = {"key": "content-type", "value": content_type}
    return {
        "match": {**place, **({"headers": headers} if headers else {})},
        "direct_response": {"status": 404, "body": {"inline_string": body}},
        "response_headers_to_add": [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
        "typed_per_filter_config": _DIRECT,
    }
