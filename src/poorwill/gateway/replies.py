"""What the gate answers: a request may pass, or it is told what Envoy is to say instead."""

from __future__ import annotations

import json
from collections.abc import Mapping

from poorwill.core.model import Now
from poorwill.gateway import authz_pb2 as pb
from poorwill.gateway import entrance, hours, pages
from poorwill.gateway.again import granted
from poorwill.gateway.balance import TO
from poorwill.gateway.callers import Caller, caller, wants_html
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.limits import Limit, limit_error, limit_page
from poorwill.gateway.routes import events_path, wake_path
from poorwill.gateway.tokens import token
from poorwill.gateway.waiting import PAGE, page_name

_PERMISSION_DENIED = 7
_OVERWRITE = 2
_REFUSED_FOR = 300
"""Seconds in ``Retry-After`` when only a person can change the answer."""


def let_in(door: Door, http: pb.HttpRequest, now: float, to: str = "") -> pb.CheckResponse:
    """``to`` is the address of the instance that the request is sent to; empty: Envoy chooses."""
    headers = _options(granted(http.method, http.headers)) if door.is_fresh(now) else []
    answer = pb.CheckResponse(status=pb.Status(code=0), ok_response=pb.OkHttpResponse(headers=headers))
    if to:
        answer.dynamic_metadata[TO] = to
    return answer


def monitored(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    """A monitor that may be told that all is well with a service that sleeps; it is told when it is not."""
    if door.refusal in (Refusal.CLOSING, Refusal.REMOVED):
        return unavailable(door, http, now, str(door.refusal))
    if door.trouble or not door.known:
        return unavailable(door, http, now, "trouble" if door.known else "unknown")
    return deny(200, json.dumps({"status": "asleep", "service": door.service}) + "\n")


def waiting_page(door: Door, http: pb.HttpRequest, now: Now) -> pb.CheckResponse:
    elapsed = door.elapsed(now.mono)
    retry = pages.retry_after(door.estimate, elapsed)
    body = pages.waiting_page(
        door.service,
        _language(http),
        elapsed=elapsed,
        estimate=door.estimate,
        trouble=door.trouble,
        retry=retry,
        events=f"{events_path(door.service)}?{PAGE}={page_name(now.wall)}",
    )
    return deny(503, body, html=True, retry=retry)


def sleeping_page(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    """For a prefetch or a link preview: it wakes nothing, a person who comes does."""
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    page = pages.sleeping_page(door.service, _language(http), by_hand=False)
    return deny(503, page, html=True, retry=retry)


def crowded(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    """Nobody more is kept waiting, or no slot became free in time."""
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    if _reads_pages(http, ""):
        return deny(503, pages.notice_page("crowded", door.service, _language(http)), html=True, retry=retry)
    return deny(503, pages.api_error("crowded", door.service, _language(http), retry=retry), retry=retry)


def unavailable(door: Door, http: pb.HttpRequest, now: float, kind: str = "") -> pb.CheckResponse:
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    if not kind:
        kind = "asleep" if door.waking_since is None else "trouble" if door.trouble else "waking"
        kind = kind if door.known else "unknown"
    return deny(503, pages.api_error(kind, door.service, _language(http), retry=retry), retry=retry)


def closed(door: Door, http: pb.HttpRequest, now: Now, kind: str) -> pb.CheckResponse:
    """Out of hours: nothing a visitor does wakes the service."""
    retry = hours.wait(door.hours, now.wall)
    if _reads_pages(http, kind):
        page = entrance.closed_page(door.service, _language(http), hours=door.hours, wall=now.wall)
        return deny(503, page, html=True, retry=retry)
    body = entrance.closed_error(door.service, _language(http), hours=door.hours, wall=now.wall)
    return deny(503, body, retry=retry)


def limited(door: Door, http: pb.HttpRequest, reached: Limit) -> pb.CheckResponse:
    """Nobody who asks is waited for: it would be in vain."""
    if wants_html(http.headers):
        page = limit_page(door.service, _language(http), reached)
        return deny(reached.status, page, html=True, retry=reached.seconds)
    body = limit_error(door.service, _language(http), reached)
    return deny(reached.status, body, retry=reached.seconds)


def to_be_clicked(door: Door, http: pb.HttpRequest, now: Now, kind: str, key: str) -> pb.CheckResponse:
    """Coming wakes nothing: a person is asked, and a program is told so."""
    retry = min(_REFUSED_FOR, hours.wait(door.hours, now.wall))
    if _reads_pages(http, kind):
        page = entrance.asleep_page(
            door.service,
            _language(http),
            wake=wake_path(door.service),
            token=token(key, door.service, now.wall),
            back=http.path,
            estimate=door.estimate,
            hours=door.hours,
            wall=now.wall,
        )
        return deny(503, page, html=True, retry=retry)
    body = entrance.asleep_error(door.service, _language(http), retry=retry, hours=door.hours, wall=now.wall)
    return deny(503, body, retry=retry)


def _reads_pages(http: pb.HttpRequest, kind: str) -> bool:
    if kind == "background":
        return False
    return wants_html(http.headers) or caller(http.method, http.headers) is Caller.PAGE


def refused(door: Door, http: pb.HttpRequest) -> pb.CheckResponse:
    kind = str(door.refusal)
    status, retry = (404, None) if door.refusal is Refusal.REMOVED else (503, _REFUSED_FOR)
    if wants_html(http.headers):
        page = pages.notice_page(kind, door.service, _language(http))
        return deny(status, page, html=True, retry=retry)
    return deny(status, pages.api_error(kind, door.service, _language(http), retry=retry), retry=retry)


def _language(http: pb.HttpRequest) -> str:
    return pages.choose_language(http.headers.get("accept-language"))


def deny(status: int, body: str, *, html: bool = False, retry: int | None = None) -> pb.CheckResponse:
    kind = "text/html; charset=utf-8" if html else "application/json"
    headers = {"content-type": kind, "cache-control": "no-store", "vary": "accept, accept-language"}
    if retry is not None:
        headers["retry-after"] = str(retry)
    denied = pb.DeniedHttpResponse(status=pb.HttpStatus(code=status), headers=_options(headers), body=body)
    return pb.CheckResponse(status=pb.Status(code=_PERMISSION_DENIED), denied_response=denied)


def _options(headers: Mapping[str, str]) -> list[pb.HeaderValueOption]:
    """Each in place of one that is there already."""
    return [
        pb.HeaderValueOption(header=pb.HeaderValue(key=name, value=value), append_action=_OVERWRITE)
        for name, value in headers.items()
    ]
