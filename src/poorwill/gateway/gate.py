"""The gate: Envoy asks here before it lets a request through to a service that is not awake.

The answer to the question is the waiting. OK means an instance is ready, and Envoy then continues the
very same request, body and upgrades included, untouched by Python. A denial carries the status and the
page. Envoy asks again by itself when the control plane comes back after a crash, so the hold is counted
from the request's own start.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import grpc
import grpc.aio

from poorwill import clock
from poorwill.core.model import Now
from poorwill.gateway import authz_pb2 as pb
from poorwill.gateway import entrance, hours, pages
from poorwill.gateway.again import granted
from poorwill.gateway.callers import Caller, caller, patience, wants_html
from poorwill.gateway.clients import Client, client
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.limits import Limit, limit, limit_error, limit_page
from poorwill.gateway.routes import events_path, wake_path
from poorwill.gateway.tokens import token

_METHOD = "Check"
_SERVICE = "envoy.service.auth.v3.Authorization"
_PERMISSION_DENIED = 7
_OVERWRITE = 2
_REFUSED_FOR = 300
"""Seconds in ``Retry-After`` when only a person can change the answer."""


class Gate:
    """The ext_authz server. ``doors`` is shared with whoever opens and closes them; ``key`` disguises clients
    and proves that a page is ours.
    """

    def __init__(self, doors: Mapping[str, Door], key: str = "") -> None:
        self._doors = doors
        self.key = key
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
        address = attributes.source.address.socket_address.address
        asker = client(self.key, address, http.headers.get("user-agent", ""))
        return await self._answer(door, http, attributes.context_extensions["class"], asker, now, waited)

    async def _answer(
        self, door: Door, http: pb.HttpRequest, kind: str, asker: Client, now: Now, waited: float
    ) -> pb.CheckResponse:
        headers = http.headers
        if door.passable.is_set():
            return _pass(door, http, now.mono)
        if kind == "monitor":
            return _monitored(door, http, now.mono)
        if door.refusal is not None and kind != "background":
            return _refused(door, http)
        if door.closed:
            return _closed(door, http, now, kind)
        if kind != "background" and (reached := limit(door, asker.name, now.wall)):
            return _limited(door, http, reached)
        if door.needs_a_click(now.mono):
            return _to_be_clicked(door, http, now, kind, self.key)
        if kind == "background":
            return _unavailable(door, http, now.mono)
        match caller(http.method, headers):
            case Caller.IGNORED if wants_html(headers):
                return _sleeping_page(door, http, now.mono)
            case Caller.IGNORED:
                return _unavailable(door, http, now.mono)
            case Caller.PAGE:
                if door.entrance is not None:  # else the page itself asks as soon as it may
                    door.ask(now.mono, asker)
                return _waiting_page(door, http, now.mono)
            case Caller.HELD if door.crowded:
                if door.entrance is not None:
                    door.ask(now.mono, asker)
                return _unavailable(door, http, now.mono, "crowded")
            case Caller.HELD:
                return await self._hold(door, http, asker, patience(headers, door.hold) - waited)

    async def _hold(
        self, door: Door, http: pb.HttpRequest, asker: Client, seconds: float
    ) -> pb.CheckResponse:
        """Wait for the door. A client that hangs up arrives as a cancellation and is no longer counted.

        Who waits when the service closes is told at once. Who waits when it begins to ask for a click goes
        on waiting: when they came, coming was enough. Nobody asks for a service before it is known what
        asking does.
        """
        asked = False
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not door.passable.is_set():
                    now = clock.now()
                    if door.refusal is not None:
                        return _refused(door, http)
                    if door.closed:
                        return _closed(door, http, now, "")
                    if reached := limit(door, asker.name, now.wall):
                        return _limited(door, http, reached)
                    if not asked and door.needs_a_click(now.mono):
                        return _to_be_clicked(door, http, now, "", self.key)
                    if not asked and door.entrance is not None:
                        asked = True
                        door.waiting += 1
                        door.ask(now.mono, asker)
                    await door.change()
            return _pass(door, http, clock.now().mono)
        except TimeoutError:
            return _unavailable(door, http, clock.now().mono)
        finally:
            if asked:
                door.waiting -= 1


def _pass(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    headers = _options(granted(http.method, http.headers)) if door.is_fresh(now) else []
    return pb.CheckResponse(status=pb.Status(code=0), ok_response=pb.OkHttpResponse(headers=headers))


def _monitored(door: Door, http: pb.HttpRequest, now: float) -> pb.CheckResponse:
    """A monitor that may be told that all is well with a service that sleeps; it is told when it is not."""
    if door.refusal in (Refusal.CLOSING, Refusal.REMOVED):
        return _unavailable(door, http, now, str(door.refusal))
    if door.trouble or not door.known:
        return _unavailable(door, http, now, "trouble" if door.known else "unknown")
    return _deny(200, json.dumps({"status": "asleep", "service": door.service}) + "\n")


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


def _unavailable(door: Door, http: pb.HttpRequest, now: float, kind: str = "") -> pb.CheckResponse:
    retry = pages.retry_after(door.estimate, door.elapsed(now))
    if not kind:
        kind = "asleep" if door.waking_since is None else "trouble" if door.trouble else "waking"
        kind = kind if door.known else "unknown"
    return _deny(503, pages.api_error(kind, door.service, _language(http), retry=retry), retry=retry)


def _closed(door: Door, http: pb.HttpRequest, now: Now, kind: str) -> pb.CheckResponse:
    """Out of hours: nothing a visitor does wakes the service."""
    retry = hours.wait(door.hours, now.wall)
    if _reads_pages(http, kind):
        page = entrance.closed_page(door.service, _language(http), hours=door.hours, wall=now.wall)
        return _deny(503, page, html=True, retry=retry)
    body = entrance.closed_error(door.service, _language(http), hours=door.hours, wall=now.wall)
    return _deny(503, body, retry=retry)


def _limited(door: Door, http: pb.HttpRequest, reached: Limit) -> pb.CheckResponse:
    """Nobody who asks is waited for: it would be in vain."""
    if wants_html(http.headers):
        page = limit_page(door.service, _language(http), reached)
        return _deny(reached.status, page, html=True, retry=reached.seconds)
    body = limit_error(door.service, _language(http), reached)
    return _deny(reached.status, body, retry=reached.seconds)


def _to_be_clicked(door: Door, http: pb.HttpRequest, now: Now, kind: str, key: str) -> pb.CheckResponse:
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
    denied = pb.DeniedHttpResponse(status=pb.HttpStatus(code=status), headers=_options(headers), body=body)
    return pb.CheckResponse(status=pb.Status(code=_PERMISSION_DENIED), denied_response=denied)


def _options(headers: Mapping[str, str]) -> list[pb.HeaderValueOption]:
    """Each in place of one that is there already."""
    return [
        pb.HeaderValueOption(header=pb.HeaderValue(key=name, value=value), append_action=_OVERWRITE)
        for name, value in headers.items()
    ]
