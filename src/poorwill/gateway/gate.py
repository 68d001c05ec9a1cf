"""The gate: Envoy asks here before it lets a request through to a service that is not awake.

The answer to the question is the waiting. OK means an instance is ready, and Envoy then continues the
very same request, body and upgrades included, untouched by Python. A denial carries the status and the
page. Envoy asks again by itself when the control plane comes back after a crash, so the hold is counted
from the request's own start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import grpc
import grpc.aio

from poorwill import clock
from poorwill.core.model import Now
from poorwill.gateway import authz_pb2 as pb
from poorwill.gateway import entrance, hours, pages
from poorwill.gateway.callers import Caller, caller, patience, wants_html
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.routes import events_path, wake_path

_METHOD = "Check"
_SERVICE = "envoy.service.auth.v3.Authorization"
_PERMISSION_DENIED = 7
_REFUSED_FOR = 300
"""Seconds in ``Retry-After`` when only a person can change the answer."""


class Gate:
    """The ext_authz server. ``doors`` is shared with whoever opens and closes them."""

    def __init__(self, doors: Mapping[str, Door]) -> None:
        self._doors = doors
        self._server: grpc.aio.Server | None = None

    async def serve(self, socket: Path) -> None:
        """Listen on a unix socket; the folder around it keeps strangers out."""
        server = grpc.aio.server(options=[("grpc.max_concurrent_streams", 1_000_000)])
        handler: Callable[..., Awaitable[pb.CheckResponse]] = self._check
        rpc = grpc.unary_unary_rpc_method_handler(
            handler,
            request_deserializer=pb.CheckRequest.FromString,
            response_serializer=pb.CheckResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: rpc}),))
        server.add_insecure_port(f"unix:{socket}")
        await server.start()
        socket.chmod(0o600)
        self._server = server

    async def stop(self) -> None:
        """Hang up. Requests still held stay with Envoy, which asks the next control plane."""
        if self._server is not None:
            await self._server.stop(grace=None)

    async def _check(
        self, request: pb.CheckRequest, _context: grpc.aio.ServicerContext[pb.CheckRequest, pb.CheckResponse]
    ) -> pb.CheckResponse:
        attributes = request.attributes
        door = self._doors.get(attributes.context_extensions["service"])
        if door is None:
            return _deny(404, pages.api_error("not_found", "", "en", retry=None))
        door.checks += 1
        http = attributes.request.http
        now = clock.now()
        started = attributes.request.time.seconds + attributes.request.time.nanos / 1e9
        waited = max(0.0, now.wall - started) if started else 0.0
        told = attributes.context_extensions
        came = _Came(now.wall - waited, waited, "slot" in told)
        return await self._answer(door, http, told["class"], now, came)

    async def _answer(
        self, door: Door, http: pb.HttpRequest, kind: str, now: Now, came: _Came
    ) -> pb.CheckResponse:
        headers = http.headers
        if door.passable.is_set():
            return await _straight_in(door, http, now, came)
        if door.refusal is not None and kind != "background":
            return _refused(door, http)
        if door.closed:
            return _closed(door, http, now, kind)
        if door.needs_a_click(now.mono):
            return _to_be_clicked(door, http, now, kind)
        if kind == "background":
            return _unavailable(door, http, now.mono)
        match caller(http.method, headers):
            case Caller.IGNORED if wants_html(headers):
                return _sleeping_page(door, http, now.mono)
            case Caller.IGNORED:
                return _unavailable(door, http, now.mono)
            case Caller.PAGE:
                if door.entrance is not None:  # else the page itself asks as soon as it may
                    door.ask(now.mono)
                return _waiting_page(door, http, now.mono)
            case Caller.HELD if door.crowded:
                if door.entrance is not None:
                    door.ask(now.mono)
                return _crowded(door, http, now.mono)
            case Caller.HELD:
                return await _hold(door, http, came)


class _Came(NamedTuple):
    """When the request began (seconds since the epoch), how long it waits already, and what for."""

    began: float
    waited: float
    needs_slot: bool


async def _straight_in(door: Door, http: pb.HttpRequest, now: Now, came: _Came) -> pb.CheckResponse:
    """The service is awake. Whoever it is: without a slot they stand in the line, for nobody is told to go
    where they are already.
    """
    if not came.needs_slot:
        return _pass()
    if door.crowded:
        return _crowded(door, http, now.mono)
    return await _hold(door, http, came)


async def _hold(door: Door, http: pb.HttpRequest, came: _Came) -> pb.CheckResponse:
    """Wait for the door, and for a slot where one is needed.

    A client that hangs up arrives as a cancellation, is no longer counted, and leaves the line.

    Who waits when the service closes is told at once. Who waits when it begins to ask for a click goes on
    waiting: when they came, coming was enough. Nobody asks for a service before it is known what asking does.
    """
    asked = went = False
    ticket = door.line_up(came.began) if came.needs_slot else None
    try:
        async with asyncio.timeout(max(0.0, patience(http.headers, door.hold) - came.waited)):
            while not door.admits(ticket):
                now = clock.now()
                if not door.passable.is_set() and (shut := _shut(door, http, now, asked)):
                    return shut
                if not asked and door.entrance is not None:
                    asked = True
                    door.waiting += 1
                    door.ask(now.mono)
                await door.change(ticket)
        went = True
        return _pass()
    except TimeoutError:
        given_up = _crowded if door.passable.is_set() else _unavailable
        return given_up(door, http, clock.now().mono)
    finally:
        if asked:
            door.waiting -= 1
        if ticket is not None:
            door.line.leave(ticket, went=went)


def _shut(door: Door, http: pb.HttpRequest, now: Now, asked: bool) -> pb.CheckResponse | None:
    """What somebody at a closed door is told instead of waiting on."""
    if door.refusal is not None:
        return _refused(door, http)
    if door.closed:
        return _closed(door, http, now, "")
    if not asked and door.needs_a_click(now.mono):
        return _to_be_clicked(door, http, now, "")
    return None


def _pass() -> pb.CheckResponse:
    return pb.CheckResponse(status=pb.Status(code=0), ok_response=pb.OkHttpResponse())


def _waiting_page(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    elapsed = door.elapsed(now)
    retry = pages.retry_after(door.estimate, elapsed)
    body = pages.waiting_page(
        door.service,
        _language(http),
        elapsed=elapsed,
        estimate=door.estimate,
        trouble=door.trouble,
        retry=retry,
        events=events_path(door.service),
    )
    return _deny(503, body, html=True, retry=retry)


def _sleeping_page(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    """For a prefetch or a link preview: it wakes nothing, a person who comes does."""
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    page = pages.sleeping_page(door.service, _language(http), by_hand=False)
    return _deny(503, page, html=True, retry=retry)


def _crowded(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    """Nobody more is kept waiting, or no slot became free in time."""
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    if _reads_pages(http, ""):
        return _deny(503, pages.notice_page("crowded", door.service, _language(http)), html=True, retry=retry)
    return _deny(503, pages.api_error("crowded", door.service, _language(http), retry=retry), retry=retry)


def _unavailable(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    kind = "asleep" if door.waking_since is None else "trouble" if door.trouble else "waking"
    return _deny(503, pages.api_error(kind, door.service, _language(http), retry=retry), retry=retry)


def _closed(door: Door, http: pb.HttpRequest, now: Now, kind: str) -> pb.CheckResponse:
    """Out of hours: nothing a visitor does wakes the service."""
    retry = hours.wait(door.hours, now.wall)
    if _reads_pages(http, kind):
        page = entrance.closed_page(door.service, _language(http), hours=door.hours, wall=now.wall)
        return _deny(503, page, html=True, retry=retry)
    body = entrance.closed_error(door.service, _language(http), hours=door.hours, wall=now.wall)
    return _deny(503, body, retry=retry)


def _to_be_clicked(door: Door, http: pb.HttpRequest, now: Now, kind: str) -> pb.CheckResponse:
    """Coming wakes nothing: a person is asked, and a program is told so."""
    retry = min(_REFUSED_FOR, hours.wait(door.hours, now.wall))
    if _reads_pages(http, kind):
        page = entrance.asleep_page(
            door.service,
            _language(http),
            wake=wake_path(door.service),
            back=http.path,
            estimate=door.estimate,
            hours=door.hours,
            wall=now.wall,
        )
        return _deny(503, page, html=True, retry=retry)
    body = entrance.asleep_error(door.service, _language(http), retry=retry, hours=door.hours, wall=now.wall)
    return _deny(503, body, retry=retry)


def _reads_pages(http: pb.HttpRequest, kind: str) -> bool:
    if kind == "background":
        return False
    return wants_html(http.headers) or caller(http.method, http.headers) is Caller.PAGE


def _refused(door: Door, http: pb.HttpRequest) -> pb.CheckResponse:
    kind = str(door.refusal)
    status, retry = (404, None) if door.refusal is Refusal.REMOVED else (503, _REFUSED_FOR)
    if wants_html(http.headers):
        page = pages.notice_page(kind, door.service, _language(http))
        return _deny(status, page, html=True, retry=retry)
    return _deny(status, pages.api_error(kind, door.service, _language(http), retry=retry), retry=retry)


def _language(http: pb.HttpRequest) -> str:
    return pages.choose_language(http.headers.get("accept-language"))


def _deny(status: int, body: str, *, html: bool = False, retry: int | None = None) -> pb.CheckResponse:
    kind = "text/html; charset=utf-8" if html else "application/json"
    headers = {"content-type": kind, "cache-control": "no-store", "vary": "accept, accept-language"}
    if retry is not None:
        headers["retry-after"] = str(retry)
    options = [pb.HeaderValueOption(header=pb.HeaderValue(key=k, value=v)) for k, v in headers.items()]
    return pb.CheckResponse(
        status=pb.Status(code=_PERMISSION_DENIED),
        denied_response=pb.DeniedHttpResponse(status=pb.HttpStatus(code=status), headers=options, body=body),
    )
