"""What Poorwill itself serves on a service's host, below ``/.poorwill/``: the waiting page's events.

A waiting page that is open and seen is somebody who waits, so its event stream renews the demand, for a
bounded time: a tab forgotten in front of a service that never starts must not keep it trying for ever.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from poorwill import clock
from poorwill.gateway import pages
from poorwill.gateway.doors import Door
from poorwill.gateway.routes import events_path

PATIENCE = 900.0
"""Seconds for which one open page counts as somebody waiting."""

TICK = 1.0
"""Seconds between two events when nothing changes."""


def application(doors: Mapping[str, Door]) -> Starlette:
    async def events(request: Request) -> Response:
        door = doors.get(request.path_params["service"])
        if door is None:
            return JSONResponse({"error": {"message": "no such service"}}, status_code=404)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_progress(door), media_type="text/event-stream", headers=headers)

    return Starlette(routes=[Route(events_path("{service}"), events)])


async def _progress(door: Door) -> AsyncIterator[str]:
    begun = clock.now().mono
    while True:
        now = clock.now().mono
        if now - begun > PATIENCE or door.refusal is not None:
            yield "event: gone\ndata: {}\n\n"
            return
        ready = door.passable.is_set()
        if not ready:
            door.ask(now)
        data = pages.progress_event(
            "waking" if door.waking_since else "asleep",
            elapsed=door.elapsed(now),
            estimate=door.estimate,
            trouble=door.trouble,
            ready=ready,
        )
        yield f"data: {json.dumps(data)}\n\n"
        if ready:
            return
        try:
            async with asyncio.timeout(TICK):
                await door.change()
        except TimeoutError:
            continue
