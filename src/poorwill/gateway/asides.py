"""The routes of bystanders: past the gate while a service sleeps, beside what counts while it is awake."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from poorwill.gateway.bystanders import Answer, Bystanders, Kind, agents_regex, paths_regex
from poorwill.gateway.direct import direct
from poorwill.gateway.marks import marked

Json = dict[str, Any]

Route = Callable[[Json, str], list[Json]]
"""From what a request must be like, and a class, to the routes on which it reaches the service or gate."""

RETRY_AFTER = 3600
"""Seconds. Who only looks need not look often."""

_WITHOUT_GATE = (Kind.NUISANCE, Kind.CRAWLER, Kind.SCANNER)


def aside_routes(
    service: str, ways: Bystanders, place: Json, *, is_open: bool, route: Route, past_the_gate: Json
) -> list[Json]:
    """The routes for all bystanders of one service; ``place`` is what all its requests are like.

    Awake, they reach it and count for nothing. Asleep, Envoy answers by itself, except for those who want to
    know whether all is well, which only the gate can tell, and link previews, which get a page there.
    """
    rows: list[Json] = []
    for kind in Kind:
        answer = ways.answers.get(kind, Answer.WAKE if kind is not Kind.PREVIEW else Answer.UNAVAILABLE)
        if answer is Answer.WAKE or (kind is Kind.PREVIEW and not is_open):
            continue
        for match in _matches(kind, ways, place):
            if is_open:
                rows += route(match, "background")
            elif kind is Kind.MONITOR and answer is Answer.ASLEEP:
                rows += route(match, "monitor")
            else:
                rows.append(_told(service, match, answer, past_the_gate))
    return rows


def _matches(kind: Kind, ways: Bystanders, place: Json) -> list[Json]:
    """By the common list, and by what the service adds to it; each without those who are welcome."""
    welcome = _not_welcome(ways.welcome)
    found = [{**place, "filter_state": marked(kind), **({"headers": welcome} if welcome else {})}]
    if more := ways.also.get(kind):
        header, regex = (
            (":path", paths_regex(more)) if kind is Kind.NUISANCE else ("user-agent", agents_regex(more))
        )
        found.append({**place, "headers": [_header(header, regex), *welcome]})
    return found


def _not_welcome(welcome: tuple[str, ...]) -> list[Json]:
    paths = [one for one in welcome if one.startswith("/")]
    agents = [one for one in welcome if not one.startswith("/")]
    rows = [(":path", paths_regex(paths))] if paths else []
    rows += [("user-agent", agents_regex(agents))] if agents else []
    return [{**_header(*row), "invert_match": True, "treat_missing_header_as_empty": True} for row in rows]


def _header(name: str, regex: str) -> Json:
    return {"name": name, "string_match": {"safe_regex": {"regex": regex}}}


def _told(service: str, match: Json, answer: Answer, settings: Json) -> Json:
    """Envoy's own answer. It says nothing that could change while the service sleeps."""
    if answer is Answer.ASLEEP:
        status, body = 200, json.dumps({"status": "asleep", "service": service})
    else:
        error = {
            "message": f"The service {service} is asleep and this request does not wake it.",
            "type": "service_unavailable",
            "code": "service_asleep",
            "service": service,
            "retry_after": RETRY_AFTER,
        }
        status, body = 503, json.dumps({"error": error})
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER)
    return direct(match, status, body + "\n", headers, settings)
