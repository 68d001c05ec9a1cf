"""What Poorwill itself serves on a service's host, below ``/.poorwill/``.

The waiting page's events: a page that is open and seen is somebody who waits, so its event stream renews the
demand, for a bounded time. A tab forgotten in front of a service that never starts must not keep it trying
for ever.

A person's click on the page of a service that asks for one: only a browser that shows this very page may send
it, with the token in the page, so that neither another site nor a program that follows links wakes anything.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from poorwill import clock
from poorwill.gateway import entrance, pages
from poorwill.gateway.callers import wants_html
from poorwill.gateway.clients import Client, client
from poorwill.gateway.doors import Door
from poorwill.gateway.guard import TELL
from poorwill.gateway.limits import limit
from poorwill.gateway.routes import events_path, wake_path
from poorwill.gateway.tokens import is_ours
from poorwill.gateway.waiting import PAGE

PATIENCE = 900.0
"""Seconds for which one open page counts as somebody waiting."""

TICK = 1.0
"""Seconds between two events when nothing changes."""

_BEGINNING = 2.0
"""Seconds, at most, that a click waits for a control plane that has only begun."""

_FORM_LIMIT = 8192
_ADDRESS = re.compile(r"[0-9a-fA-F.:/]{2,64}")
_FRESH = {"cache-control": "no-store"}


class _Told(StrEnum):
    """What an event tells a page: that it waits on; that the service is there; that there is nothing to wait
    for; that it is another page now.
    """

    NEWS = "news"
    READY = "ready"
    GONE = "gone"
    CHANGED = "changed"


def application(doors: Mapping[str, Door], key: str, noted: Callable[[str, str], None]) -> Starlette:
    """``key`` is the gate's. ``noted(service, words)`` writes down what the guard of a service tells."""

    async def events(request: Request) -> Response:
        door = doors.get(request.path_params["service"])
        if door is None:
            return _no("no such service", "service_not_found", 404)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            _told_of(door, _client(key, request), request.query_params.get(PAGE, "")),
            media_type="text/event-stream",
            headers=headers,
        )

    async def wake(request: Request) -> Response:
        door = doors.get(request.path_params["service"])
        if door is None:
            return _no("no such service", "service_not_found", 404)
        if not from_this_page(request.headers):
            return _no("only the page of the service itself can wake it", "not_from_this_page", 403)
        fields = await _fields(request)
        back = entrance.local(fields.get("back", ["/"])[0])
        await _told(door)
        now, asker = clock.now(), _client(key, request)
        read = is_ours(key, door.service, fields.get("token", [""])[0], now.wall)
        if read and not door.closed and door.refusal is None and not limit(door, asker.name, now.wall):
            door.click(now.mono, asker)
        if wants_html(request.headers):
            return RedirectResponse(back, 303, headers=_FRESH)
        return Response(status_code=204, headers=_FRESH)

    async def guessed(request: Request) -> Response:
        service, address = request.path_params["service"], (await request.body()).decode()
        if service not in doors or not _ADDRESS.fullmatch(address):
            return _no("no such service", "service_not_found", 404)
        noted(service, f"many wrong passwords or keys came from {address}; it has to wait between them now")
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route(f"{TELL}{{service}}", guessed, methods=["POST"]),
            Route(events_path("{service}"), events),
            Route(wake_path("{service}"), wake, methods=["POST"]),
        ]
    )


def _no(message: str, code: str, status: int) -> Response:
    error = {"message": message, "type": "invalid_request_error", "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=_FRESH)


def from_this_page(headers: Headers) -> bool:
    """Whether a browser says that a page of this very host sent it. Programs and other sites cannot.

    Browsers send ``Sec-Fetch-Site`` over HTTPS and to localhost only, but ``Origin`` with every POST.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", "")).netloc.lower()
    hosts = (headers.get("host", ""), headers.get("x-forwarded-host", ""))
    return bool(origin) and origin in (host.lower() for host in hosts)


def _client(key: str, request: Request) -> Client:
    """Envoy writes last in this header whom it saw."""
    address = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return client(key, address, request.headers.get("user-agent", ""))


async def _fields(request: Request) -> dict[str, list[str]]:
    """What the page's form says; nothing when it is longer than ours can be."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            return {}
    return parse_qs(body.decode("latin-1"))


async def _told(door: Door) -> None:
    """Wait until it is known what a click does, which takes a moment after a start of Poorwill."""
    try:
        async with asyncio.timeout(_BEGINNING):
            while door.entrance is None:
                await door.change()
    except TimeoutError:
        return


async def _told_of(door: Door, asker: Client, page: str) -> AsyncIterator[str]:
    """The page's stream, and what becomes of who waits at the page."""
    waits = door.waits
    name = waits.page_opens(page, clock.now())
    try:
        async with aclosing(_progress(door, asker)) as progress:
            async for told, data in progress:
                if told is _Told.CHANGED:
                    waits.page_turns(name)
                elif told is not _Told.NEWS:
                    waits.page_ends(name, clock.now().mono, went=told is _Told.READY)
                yield data
    finally:
        waits.page_breaks_off(name, clock.now().mono)


async def _progress(door: Door, asker: Client) -> AsyncGenerator[tuple[_Told, str]]:
    """What the page is told; the last of it is no mere news."""
    begun = clock.now().mono
    while True:
        time = clock.now()
        now, wall = time.mono, time.wall
        if now - begun > PATIENCE or door.refusal is not None:
            yield _Told.GONE, "event: gone\ndata: {}\n\n"
            return
        ready = door.passable.is_set()
        if not ready and (door.closed or door.needs_a_click(now) or limit(door, asker.name, wall)):
            # Coming is no longer enough: the page is another one now.
            yield _Told.CHANGED, "event: changed\ndata: {}\n\n"
            return
        if not ready and door.entrance is not None:
            door.ask(now, asker)
        data = pages.progress_event(
            "waking" if door.waking_since else "asleep",
            elapsed=door.elapsed(now),
            estimate=door.estimate,
            trouble=door.trouble,
            ready=ready,
        )
        yield _Told.READY if ready else _Told.NEWS, f"data: {json.dumps(data)}\n\n"
        if ready:
            return
        try:
            async with asyncio.timeout(TICK):
                await door.change()
        except TimeoutError:
            continue
