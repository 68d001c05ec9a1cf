"""The admin API: the same on the unix socket of the command line and, with a token, on ``admin:``."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal, Protocol

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from poorwill import __version__
from poorwill.errors import BadInput, PoorwillError
from poorwill.store.journal import Journal
from poorwill.web.cost import Today, answer
from poorwill.web.metrics import Metrics

Json = dict[str, Any]

_TOKEN_HINT = "send `Authorization: Bearer TOKEN`; the token is in the file admin-token of the state folder"


class Desk(Protocol):
    """What the API needs of the control room."""

    def status(self) -> list[Json]: ...

    def why(self, name: str) -> Json: ...

    async def wake(self, name: str, seconds: float | None, by: str) -> Json: ...

    async def sleep(self, name: str, by: str) -> Json: ...

    async def plan(self, name: str, kind: str, during: str, by: str) -> Json: ...

    async def auto(self, name: str, by: str) -> Json: ...

    async def adopt(self, name: str, by: str) -> Json: ...

    async def log_tail(self, name: str, lines: int) -> list[str]: ...


class Program(Protocol):
    """What the API may ask of the program as a whole."""

    def down(self) -> None: ...

    async def reload(self) -> Mapping[str, Any]: ...

    def health(self) -> Json: ...


class Demand(BaseModel):
    """The body of wake, sleep, auto and adopt."""

    seconds: float | None = Field(
        default=None,
        gt=0,
        le=3650 * 86400,
        allow_inf_nan=False,
        description="How long; None until it is given back.",
    )
    by: str = Field(default="by hand", max_length=200, description="Who says so, for the journal.")


class Intention(BaseModel):
    """The body of plan: what is wanted for hours to come."""

    kind: Literal["wake", "sleep"]
    during: str = Field(max_length=100, description="A day and hours, such as Saturday 10:00-14:00.")
    by: str = Field(default="by hand", max_length=200, description="Who says so, for the journal.")


def application(
    desk: Desk, program: Program, journal: Journal, token: str | None, metrics: Metrics | None = None
) -> FastAPI:
    """``token`` None trusts whoever can connect: for the unix socket, which only its owner can open."""
    app = FastAPI(title="Poorwill", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(PoorwillError)
    async def in_words(_request: Request, error: PoorwillError) -> JSONResponse:
        status = 400 if isinstance(error, BadInput) else 500
        return JSONResponse({"error": {"message": str(error), "hint": error.hint}}, status_code=status)

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        body = {"error": {"message": error.detail, "hint": _TOKEN_HINT if error.status_code == 401 else ""}}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    @app.get("/healthz")
    async def healthz() -> Json:
        return program.health()

    guard = [Depends(_bearer(token))] if token else []
    if metrics is not None:

        @app.get("/metrics", dependencies=guard)
        async def prometheus(request: Request) -> Response:
            page, kind = await metrics.page(request.headers.get("accept", ""))
            return Response(page, media_type=kind)

    api = APIRouter(prefix="/api/v1", dependencies=guard)
    _reading(api, desk, journal)
    _telling(api, desk, program)
    app.include_router(api)
    return app


def _reading(api: APIRouter, desk: Desk, journal: Journal) -> None:
    today = Today(journal.path.parent)

    @api.get("/services")
    async def services() -> list[Json]:
        costs = await today.costs()
        return [{**row, "cost_today": costs.get(row["name"], [])} for row in desk.status()]

    @api.get("/cost")
    async def cost(
        day: str = "", week: str = "", month: str = "", since: str = "", until: str = "", name: str = ""
    ) -> Json:
        times = {"day": day, "week": week, "month": month, "since": since, "until": until}
        return await asyncio.to_thread(answer, journal.path.parent, times, name)

    @api.get("/services/{name}")
    async def service(name: str) -> Json:
        return desk.why(name)

    @api.get("/services/{name}/log")
    async def log(name: str, lines: int = 50) -> list[str]:
        return await desk.log_tail(name, min(max(lines, 1), 10_000))

    @api.get("/events")
    async def events(
        service: str | None = None, after: int = 0, limit: int = 200, newest_first: bool = False
    ) -> list[Json]:
        found = await journal.events(
            service=service, after=after, limit=min(max(limit, 1), 10_000), newest_first=newest_first
        )
        return [asdict(event) for event in found]

    @api.get("/events/follow")
    async def follow(service: str | None = None, after: int | None = None) -> StreamingResponse:
        return StreamingResponse(_lines(journal, service, after), media_type="application/x-ndjson")


def _telling(api: APIRouter, desk: Desk, program: Program) -> None:
    @api.post("/services/{name}/wake")
    async def wake(name: str, demand: Demand) -> Json:
        return await desk.wake(name, demand.seconds, demand.by)

    @api.post("/services/{name}/sleep")
    async def sleep(name: str, demand: Demand) -> Json:
        return await desk.sleep(name, demand.by)

    @api.post("/services/{name}/plan")
    async def plan(name: str, intention: Intention) -> Json:
        return await desk.plan(name, intention.kind, intention.during, intention.by)

    @api.post("/services/{name}/auto")
    async def auto(name: str, demand: Demand) -> Json:
        return await desk.auto(name, demand.by)

    @api.post("/services/{name}/adopt")
    async def adopt(name: str, demand: Demand) -> Json:
        return await desk.adopt(name, demand.by)

    @api.post("/down")
    async def down() -> Json:
        program.down()
        return {"going": "down"}

    @api.post("/reload")
    async def reload() -> Mapping[str, Any]:
        return await program.reload()


def _bearer(token: str) -> Callable[[Request], Awaitable[None]]:
    async def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "a token is needed", {"www-authenticate": "Bearer"})

    return check


async def _lines(journal: Journal, service: str | None, after: int | None) -> AsyncIterator[str]:
    """Events as they are committed, one JSON object a line."""
    async for event in journal.subscribe(service=service, after=after):
        yield json.dumps(asdict(event)) + "\n"
