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
from poorwill.gateway import pages, replies
from poorwill.gateway.callers import Caller, caller, patience, wants_html
from poorwill.gateway.clients import Client, client
from poorwill.gateway.doors import Door
from poorwill.gateway.limits import limit
from poorwill.gateway.patience import Patience
from poorwill.gateway.stay import Stay

_METHOD = "Check"
_SERVICE = "envoy.service.auth.v3.Authorization"


class Gate:
    """The ext_authz server. ``doors`` is shared with whoever opens and closes them; ``key`` disguises clients
    and proves that a page is ours.
    """

    def __init__(self, doors: Mapping[str, Door], key: str = "") -> None:
        self._doors = doors
        self.key = key
        self._server: grpc.aio.Server | None = None
        self._patience = Patience(clock.now())

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
            return replies.deny(404, pages.api_error("not_found", "", "en", retry=None))
        door.checks += 1
        http = attributes.request.http
        now = clock.now()
        started = attributes.request.time.seconds + attributes.request.time.nanos / 1e9
        waited = self._patience.waited(started, now) if started else 0.0
        address = attributes.source.address.socket_address.address
        asker = client(self.key, address, http.headers.get("user-agent", ""))
        told = attributes.context_extensions
        came = _Came(asker, now.wall - waited, waited, "slot" in told)
        return await self._answer(door, http, told["class"], now, came)

    async def _answer(
        self, door: Door, http: pb.HttpRequest, kind: str, now: Now, came: _Came
    ) -> pb.CheckResponse:
        headers, asker = http.headers, came.asker
        if door.passable.is_set():
            return await self._straight_in(door, http, now, came)
        if kind == "monitor":
            return replies.monitored(door, http, now.mono)
        who = Caller.IGNORED if kind == "background" else caller(http.method, headers)
        if door.refusal is not None and kind != "background":
            return _away(door, who, now, replies.refused(door, http))
        if door.closed:
            return _away(door, who, now, replies.closed(door, http, now, kind))
        if kind != "background" and (reached := limit(door, asker.name, now.wall)):
            return _away(door, who, now, replies.limited(door, http, reached))
        if door.needs_a_click(now.mono):
            asked = replies.to_be_clicked(door, http, now, kind, self.key)
            return asked if who is Caller.PAGE else _away(door, who, now, asked)
        match who:
            case Caller.IGNORED if kind != "background" and wants_html(headers):
                return replies.sleeping_page(door, http, now.mono)
            case Caller.IGNORED:
                return replies.unavailable(door, http, now.mono)
            case Caller.PAGE:
                if door.entrance is not None:  # else the page itself asks as soon as it may
                    door.ask(now.mono, asker)
                return replies.waiting_page(door, http, now)
            case Caller.HELD if door.crowded:
                if door.entrance is not None:
                    door.ask(now.mono, asker)
                return _away(door, who, now, replies.crowded(door, http, now.mono))
            case Caller.HELD:
                return await self._hold(door, http, came)

    async def _straight_in(self, door: Door, http: pb.HttpRequest, now: Now, came: _Came) -> pb.CheckResponse:
        """The service is awake. Whoever it is: without a slot they stand in the line, for nobody is told to
        go where they are already.
        """
        if not came.needs_slot:
            return replies.let_in(door, http, now.mono)
        if door.crowded:
            return _away(door, Caller.HELD, now, replies.crowded(door, http, now.mono))
        return await self._hold(door, http, came)

    async def _hold(self, door: Door, http: pb.HttpRequest, came: _Came) -> pb.CheckResponse:
        """Wait for the door, and for a slot where one is needed.

        A client that hangs up arrives as a cancellation, is no longer counted, and leaves the line.

        Who waits when the service closes is told at once. Who waits when it begins to ask for a click goes
        on waiting: when they came, coming was enough. Nobody asks for a service before it is known what
        asking does.
        """
        ticket = door.line_up(came.began, http.headers.get("cookie", "")) if came.needs_slot else None
        stay = Stay(door, came.waited, clock.now().mono, ticket)
        try:
            async with asyncio.timeout(max(0.0, patience(http.headers, door.hold) - came.waited)):
                while not door.admits(ticket):
                    now = clock.now()
                    stay.look(now.mono)
                    if not door.passable.is_set() and (
                        shut := self._shut(door, http, now, came, asked=stay.asked)
                    ):
                        stay.sent = True
                        return shut
                    if door.entrance is not None:
                        stay.ask(now.mono, came.asker)
                    await door.change(ticket)
            stay.went = True
            return replies.let_in(door, http, clock.now().mono, ticket.to if ticket else "")
        except TimeoutError:
            stay.sent = True
            given_up = replies.crowded if door.passable.is_set() else replies.unavailable
            return given_up(door, http, clock.now().mono)
        finally:
            stay.end(clock.now().mono)

    def _shut(
        self, door: Door, http: pb.HttpRequest, now: Now, came: _Came, *, asked: bool
    ) -> pb.CheckResponse | None:
        """What somebody at a closed door is told instead of waiting on."""
        if door.refusal is not None:
            return replies.refused(door, http)
        if door.closed:
            return replies.closed(door, http, now, "")
        if reached := limit(door, came.asker.name, now.wall):
            return replies.limited(door, http, reached)
        if not asked and door.needs_a_click(now.mono):
            return replies.to_be_clicked(door, http, now, "", self.key)
        return None


def _away(door: Door, who: Caller, now: Now, answer: pb.CheckResponse) -> pb.CheckResponse:
    """Send somebody away, and count it when they came to use the service."""
    if who is not Caller.IGNORED:
        door.waits.refused(now.mono)
    return answer


class _Came(NamedTuple):
    """Who came, when the request began (seconds since the epoch), how long it waits already, what for."""

    asker: Client
    began: float
    waited: float
    needs_slot: bool
