"""What visitors get from a service whose door does not open by coming alone: ``page`` and ``closed``.

Pure rendering, as ``pages`` is: status codes and headers are the gate's.
"""

from __future__ import annotations

import json
from typing import Any

from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.gateway import hours as opening_hours
from poorwill.gateway.eta import history
from poorwill.gateway.sheets import about, clean, render, spaced
from poorwill.gateway.words import Words, words

_BACK_LIMIT = 2000


def asleep_page(
    service: str,
    language: str,
    *,
    wake: str,
    token: str,
    back: str,
    estimate: Estimate | None,
    hours: OpeningHours | None,
    wall: float,
) -> str:
    """The page that asks whether to wake the service. The button posts ``token`` to ``wake`` and leads to
    ``back``.
    """
    say = words(language)
    planned = hours if hours is not None and hours.next_opening(wall) is not None else None
    return render(
        "asleep",
        language,
        say,
        title=about(say, "asleep.title", service),
        text=say["asleep.page"],
        history=history(say, estimate) if estimate else "",
        wake=wake,
        token=token,
        back=local(back),
        footer=True,
        refresh=None,
        **_hours(say, planned, wall, none="—"),
    )


def closed_page(service: str, language: str, *, hours: OpeningHours | None, wall: float) -> str:
    """The page of a service that is out of hours, or whose budget is used up. It asks again by itself at the
    next opening.
    """
    say, retry = words(language), opening_hours.wait(hours, wall)
    return render(
        "closed",
        language,
        say,
        title=about(say, "closed.title", service),
        footer=False,
        refresh=retry + 1 if hours is not None else None,
        why=say[f"spent.{hours.spent}"] if hours is not None and hours.spent else "",
        **_hours(say, hours, wall, none=say["hours.closed"], reload=True),
    )


def _hours(
    say: Words, hours: OpeningHours | None, wall: float, *, none: str, reload: bool = False
) -> dict[str, Any]:
    """The part about the hours; ``none`` is what stands on a day without any."""
    known = hours is not None and bool(hours.ahead(wall))
    table = hours is not None and known and hours.spent is None
    left = opening_hours.wait(hours, wall) if known and reload else None
    data = {
        "openings": hours.ahead(wall) if hours else (),
        "zone": hours.zone if hours else "UTC",
        "next": hours.next_opening(wall) if hours else None,
        "left": left,
        "say": {**opening_hours.spoken(say), "closed": none, "offline": say["asleep.offline"]},
    }
    return {
        "opening": opening_hours.opening(say, hours, wall) if hours else say["hours.unknown"],
        "rows": opening_hours.rows(say, hours, wall) if hours and table else [],
        "zone": say["hours.zone"].format(zone=opening_hours.zone_name(hours)) if hours else "",
        "without": none,  # the name none means None in a template
        "data": data,
    }


def closed_error(service: str, language: str, *, hours: OpeningHours | None, wall: float) -> str:
    """JSON for programs: when to come again."""
    if hours is not None and hours.spent:
        return _error("spent", "budget_used_up", service, language, hours, wall)
    return _error("closed", "service_closed", service, language, hours, wall)


def asleep_error(service: str, language: str, *, retry: int, hours: OpeningHours | None, wall: float) -> str:
    """JSON for programs: only a person's click wakes it."""
    return _error("asleep_page", "service_asleep_page", service, language, hours, wall, retry)


def _error(
    kind: str,
    code: str,
    service: str,
    language: str,
    hours: OpeningHours | None,
    wall: float,
    retry: int | None = None,
) -> str:
    say = words(language)
    name, told = clean(say, service), opening_hours.as_json(hours, wall)
    planned = told["next_opening"] or kind == "asleep_page"
    key = f"api.{kind}" if planned else f"api.{kind}_for_now"
    message = spaced(say[key], name).format(service=name, time=told["next_opening"])
    error = {
        "message": message,
        "type": "service_unavailable",
        "code": code,
        "service": name,
        "retry_after": opening_hours.wait(hours, wall) if retry is None else retry,
        **told,
    }
    return json.dumps({"error": error}, ensure_ascii=False) + "\n"


def local(path: str) -> str:
    """A path on this very host to go back to; the start page for whatever else somebody wrote there."""
    safe = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and path.isascii()
    return path if safe and len(path) <= _BACK_LIMIT else "/"
