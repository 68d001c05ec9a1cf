"""The answers of the door itself, so that whoever meets a sleeping service learns what is going on.

Pure rendering: no clock, nothing kept. Status codes and headers are the gate's. The pages and errors of a
service that is out of hours, or asks for a click, are in ``entrance``.
"""

from __future__ import annotations

import json

from poorwill.core.history import Estimate
from poorwill.errors import GatewayError
from poorwill.gateway.eta import history, left, retry_after, share, state
from poorwill.gateway.sheets import about, clean, render, spaced
from poorwill.gateway.words import choose_language, seconds, time_text, words

__all__ = [
    "api_error",
    "choose_language",
    "notice_page",
    "progress_event",
    "retry_after",
    "sleeping_page",
    "waiting_page",
]

NOTICES = ("by_hand", "closing", "removed", "not_found", "unavailable", "crowded", "locked", "guessing")
_ASLEEP = ("asleep", "by_hand")
_WORTH_RETRYING = ("closing", "unavailable", "crowded", "locked", "guessing")

_ERRORS = {
    "waking": ("service_unavailable", "service_waking"),
    "trouble": ("service_unavailable", "service_start_trouble"),
    "asleep": ("service_unavailable", "service_asleep"),
    "by_hand": ("service_unavailable", "service_put_to_sleep"),
    "closing": ("service_unavailable", "gateway_closing"),
    "removed": ("not_found_error", "service_removed"),
    "not_found": ("not_found_error", "service_not_found"),
    "unavailable": ("service_unavailable", "service_unreachable"),
    "unknown": ("service_unavailable", "service_unknown"),
    "crowded": ("service_unavailable", "too_many_waiting"),
    "locked": ("authentication_error", "wrong_or_no_credentials"),
    "guessing": ("authentication_error", "too_many_wrong_credentials"),
}

_REFRESH_LIMIT = 10


def waiting_page(
    service: str,
    language: str,
    *,
    elapsed: float,
    estimate: Estimate | None,
    trouble: bool,
    retry: int,
    events: str,
) -> str:
    """The page of a service that is waking; below 15 kB, needs nothing else to be loaded.

    ``elapsed`` is seconds since the start began, ``retry`` what ``Retry-After`` says. Without JavaScript
    the page asks again after ``retry`` seconds, ten at most. With it, it listens to ``events`` (a path on
    the same host) for data as made by ``progress_event``, unnamed or named ``progress``: one at once and
    one at least every 15 s; ``event: gone`` ends the waiting. Without them it asks the path again and
    reloads.
    """
    say, waited = words(language), seconds(elapsed)
    refresh = min(max(retry, 1), _REFRESH_LIMIT)
    known = estimate is not None and not trouble
    spoken = ("lead", "late", "trouble", "offline", "ready", "gone", "elapsed", "left", "moment", "overdue")
    data = {
        "events": events,
        "retry": max(refresh, 3),
        "elapsed": round(waited, 1),
        "trouble": trouble,
        "median": round(seconds(estimate.median), 3) if estimate else None,
        "p90": round(seconds(estimate.p90), 3) if estimate else None,
        "say": {key: say[f"waking.{key}"] for key in spoken},
        "time": {key: say[f"time.{key}"] for key in ("seconds", "minutes", "both", "hours")},
    }
    return render(
        "waiting",
        language,
        say,
        title=about(say, "waking.title", service),
        footer=True,
        state=state(waited, estimate, trouble),
        share=f"{share(estimate, waited):.3f}" if known and estimate else None,
        elapsed=say["waking.elapsed"].format(time=time_text(say, waited)),
        left=left(say, waited, estimate, trouble),
        history=history(say, estimate),
        refresh=refresh,
        noscript=say["waking.noscript"].format(time=time_text(say, refresh)),
        data=data,
    )


def _notice_page(kind: str, service: str, language: str, button: str | None) -> str:
    say = words(language)
    return render(
        "notice",
        language,
        say,
        footer=kind in _ASLEEP,
        title=about(say, f"{kind}.title", service),
        text=about(say, f"{kind}.text", service),
        button=say[button] if button else None,
    )


def sleeping_page(service: str, language: str, *, by_hand: bool) -> str:
    """The page of a service that this request does not wake.

    ``by_hand``: a person put it to sleep, and no visit wakes it. Otherwise only this request does not
    (a prefetch, a link preview), and the page offers to open it.
    """
    if by_hand:
        return notice_page("by_hand", service, language)
    return _notice_page("asleep", service, language, "asleep.wake")


def notice_page(kind: str, service: str, language: str) -> str:
    """A page with one fact. For ``not_found``, ``service`` is the host asked for.

    Raises GatewayError when ``kind`` is none of NOTICES.
    """
    if kind not in NOTICES:
        raise GatewayError(f"there is no page for {kind!r}", hint=f"one of {', '.join(NOTICES)}")
    return _notice_page(kind, service, language, "again" if kind in _WORTH_RETRYING else None)


def api_error(
    kind: str, service: str, language: str, *, retry: int | None = None, message: str | None = None
) -> str:
    """A JSON body for programs, in the shape that clients of the OpenAI API understand.

    ``code`` is for programs and never changes with the language. ``message`` replaces the ready-made one.
    Raises GatewayError for an unknown ``kind``.
    """
    if kind not in _ERRORS:
        raise GatewayError(f"there is no error {kind!r}", hint=f"one of {', '.join(_ERRORS)}")
    say = words(language)
    name = clean(say, service)
    if message is None:
        message = spaced(say[f"api.{kind}"], name).format(service=name, time=time_text(say, retry or 10))
    type_, code = _ERRORS[kind]
    error = {"message": message, "type": type_, "code": code, "service": name, "retry_after": retry}
    return json.dumps({"error": error}, ensure_ascii=False) + "\n"


def progress_event(
    phase: str,
    *,
    elapsed: float,
    estimate: Estimate | None,
    trouble: bool = False,
    ready: bool = False,
) -> dict[str, str | float | int | bool | None]:
    """The data of one event of the stream the page listens to, in values that JSON can carry; seconds."""
    return {
        "phase": str(phase),
        "elapsed": round(seconds(elapsed), 1),
        "median": round(seconds(estimate.median), 1) if estimate else None,
        "p90": round(seconds(estimate.p90), 1) if estimate else None,
        "count": estimate.count if estimate else 0,
        "trouble": trouble,
        "ready": ready,
    }
