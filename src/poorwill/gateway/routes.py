"""Which request belongs to which service and traffic class, as Envoy's virtual hosts and routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poorwill.gateway import again
from poorwill.gateway.asides import aside_routes
from poorwill.gateway.balance import EXT_AUTHZ, PREVIOUS
from poorwill.gateway.bystanders import Bystanders, glob_regex
from poorwill.gateway.clusters import Slots
from poorwill.gateway.direct import direct
from poorwill.gateway.guard import Guard, off_route, on_route
from poorwill.gateway.marks import ASIDE, marked
from poorwill.gateway.sticky import remembered

Json = dict[str, Any]

RESERVED = "/.poorwill/"
"""Paths below this prefix belong to Poorwill on every host."""


def events_path(service: str) -> str:
    """Where the waiting page of a service hears how the wake goes on."""
    return f"{RESERVED}{service}/events"


def wake_path(service: str) -> str:
    """Where a person's click on the page of a sleeping service goes."""
    return f"{RESERVED}{service}/wake"


_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
_DIRECT: Json = {EXT_AUTHZ: {"@type": _PER_ROUTE, "disabled": True}}
_WITHOUT_SLOT = ("background", "monitor")


@dataclass(frozen=True, slots=True)
class Site:
    """Where visitors find a service. No hosts means all of them; ``path`` is "" or like ``/notes``.

    ``patterns`` maps the classes ``active``, ``background`` and ``busy`` to patterns: an exact path, a
    path with ``*`` (anything but a slash) and ``**`` (anything), ``/prefix/*`` (all below), each with an
    optional method in front (``POST /v1/*``). They are paths as the service sees them. ``hold`` is how many
    seconds a request may wait. ``bystanders`` says who is kept from waking it, in such paths too. While the
    service is ``paced``, requests that need one of its ``slots`` ask the gate although it is open. ``many``:
    it may have several instances; ``sticky``: a visitor stays with one of them.
    """

    service: str
    hosts: tuple[str, ...] = ()
    path: str = ""
    strip_path: bool = False
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hold: float = 0.0
    guard: Guard | None = None
    bystanders: Bystanders = field(default_factory=Bystanders)
    slots: Slots | None = None
    paced: bool = False
    many: bool = False
    sticky: bool = False

    @property
    def unseen(self) -> str:
        """What visitors have in front of the paths that the service sees."""
        return self.path if self.strip_path else ""


@dataclass(frozen=True, slots=True)
class Stray:
    """What Envoy itself answers to requests that belong to no service: 404, and nothing is woken.

    ``pages`` maps languages to HTML, the first being the default; ``other`` is JSON for everybody else.
    """

    pages: Mapping[str, str]
    other: str


def virtual_hosts(
    sites: Iterable[Site],
    open_services: frozenset[str],
    stray: Stray,
    fresh: frozenset[str] = frozenset(),
) -> list[Json]:
    """One virtual host for each host name, plus ``*`` for the unknown ones.

    The ``fresh`` of the open services have only just begun to answer: they get more rows for a while.
    """
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
        rows += [row for site in here for row in _service_routes(site, open_services, fresh)]
        rows += _stray_routes(stray)
        hosts.append({"name": host, "domains": [host], "routes": rows})
    return hosts


def _own_routes(site: Site) -> list[Json]:
    return [
        {
            "match": {"prefix": f"{RESERVED}{site.service}/"},
            "route": {
                "cluster": "visitors",
                "timeout": "0s",
                "idle_timeout": "0s",
                "retry_policy": again.until_back(site.hold),
            },
            "typed_per_filter_config": {**_DIRECT, **on_route(site.service, site.guard, site.unseen)},
        }
    ]


def _service_routes(site: Site, open_services: frozenset[str], fresh: frozenset[str]) -> list[Json]:
    rows = [
        (pattern, kind)
        for kind in ("busy", "background", "active")
        for pattern in site.patterns.get(kind, ())
        if site.slots is None or pattern not in site.slots.paths
    ]
    rows += [(pattern, site.slots.kind) for pattern in site.slots.paths] if site.slots else []
    rows.sort(key=lambda row: ("*" in row[0], -len(row[0]), row[0]))  # the most specific first
    places = [(_match(site, pattern), kind) for pattern, kind in rows]
    # `path_separated_prefix: /notes` covers /notes and /notes/x but not /notesx
    rest = {"path_separated_prefix": site.path} if site.path else {"prefix": "/"}
    is_open = site.service in open_services

    def route(match: Json, kind: str) -> list[Json]:
        harmless = again.harmless(match) if site.service in fresh else None
        first = [_route(site, harmless, kind, open_services, fresh=True)] if harmless else []
        return [*first, _route(site, match, kind, open_services)]

    result = aside_routes(
        site.service,
        site.bystanders.below(site.unseen),
        rest,
        is_open=is_open,
        route=route,
        past_the_gate={**_DIRECT, **off_route(site.guard)},
    )
    if is_open:  # else the gate sees what they are
        places.append(({**rest, "filter_state": marked(ASIDE)}, "background"))
    places.append((rest, "active"))
    return [*result, *(row for place in places for row in route(*place))]


def _route(site: Site, match: Json, kind: str, open_services: frozenset[str], *, fresh: bool = False) -> Json:
    if site.slots and not site.slots.paths and kind not in _WITHOUT_SLOT:
        kind = site.slots.kind
    needs_slot = site.slots is not None and kind == site.slots.kind
    told = {"service": site.service, "class": kind.rpartition("/")[2]}
    if needs_slot:
        told["slot"] = "needed"
    ask = {"@type": _PER_ROUTE, "check_settings": {"context_extensions": told}}
    gate = _DIRECT if site.service in open_services and not (needs_slot and site.paced) else {EXT_AUTHZ: ask}
    action: Json = {
        "cluster": f"{site.service}/{'background' if kind == 'monitor' else kind}",
        "timeout": "0s",
        "idle_timeout": "0s",
        # Only where an endpoint has a name of its own; X-Forwarded-Host then tells the visitor's.
        "auto_host_rewrite": True,
        "append_x_forwarded_host": True,
        "retry_policy": {
            **(again.while_fresh() if fresh else again.until_connected(site.hold)),
            **(PREVIOUS if site.many else {}),
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
        "typed_per_filter_config": {
            **gate,
            **on_route(site.service, site.guard, site.unseen),
            **(remembered(site.service, site.path) if site.sticky else {}),
        },
    }


def _match(site: Site, pattern: str) -> Json:
    method, _, path = pattern.rpartition(" ")
    match: Json
    if "*" not in path:
        match = {"path": site.unseen + path}
    else:
        match = {"safe_regex": {"regex": re.escape(site.unseen) + glob_regex(path)}}
    if method:
        match["headers"] = [{"name": ":method", "string_match": {"exact": method.upper()}}]
    return match


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
    match = {**place, **({"headers": headers} if headers else {})}
    return direct(match, 404, body, {"content-type": content_type}, _DIRECT)
