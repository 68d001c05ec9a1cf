"""The admin API: the same on the unix socket of the command line and, with a token, on ``admin:``."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from poorwill import __version__
from poorwill.errors import BadInput, PoorwillError
from poorwill.store.journal import Journal

Json = dict[str, Any]

_TOKEN_HINT = "send `Authorization: Bearer TOKEN`; the token is in the file admin-token of the state folder"


class Desk(Protocol):
    """What the API needs of the control room."""

    def status(self) -> list[Json]: ...

    def why(self, name: str) -> Json: ...

    async def wake(self, name: str, seconds: float | None, by: str) -> Json: ...

    async def sleep(self, name: str, by: str) -> Json: ...

    async def auto(self, name: str, by: str) -> Json: ...

    async def log_tail(self, name: str, lines: int) -> list[str]: ...


class Program(Protocol):
    """What the API may ask of the program as a whole."""

    def down(self) -> None: ...

    async def reload(self) -> Mapping[str, Any]: ...

    def health(self) -> Json: ...


class Demand(BaseModel):
    """The body of wake, sleep and auto."""

    seconds: float | None = Field(default=None, gt=0, description="How long; None until it is given back.")
    by: str = Field(default="by hand", max_length=200, description="Who says so, for the journal.")


def application(desk: Desk, program: Program, journal: Journal, token: str | None) -> FastAPI:
    """``token`` None trusts whoever can connect: for the unix socket, which only its owner can open."""
    app = FastAPI(title="Poorwill", version=__version__, docs_url=None, redoc_url=None)
    guarded = [Depends(_bearer(token))] if token else []

    @app.exception_handler(PoorwillError)
    async def in_words(_request: Request, error: PoorwillError) -> JSONResponse:
        status = 400 if isinstance(error, BadInput) else 500
        return JSONResponse({"error": {"message": str(error), "hint": error.hint}}, status_code=status)

    @app.get("/healthz")
    async def healthz() -> Json:
        return program.health()

    @app.get("/api/v1/services", dependencies=guarded)
    async def services() -> list[Json]:
        return desk.status()

    @app.get("/api/v1/services/{name}", dependencies=guarded)
    async def service(name: str) -> Json:
        return desk.why(name)

    @app.get("/api/v1/services/{name}/log", dependencies=guarded)
    async def log(name: str, lines: int = 50) -> list[str]:
        return await desk.log_tail(name, min(max(lines, 1), 10_000))

    @app.post("/api/v1/services/{name}/wake", dependencies=guarded)
    async def wake(name: str, demand: Demand) -> Json:
        return await desk.wake(name, demand.seconds, demand.by)

    @app.post("/api/v1/services/{name}/sleep", dependencies=guarded)
    async def sleep(name: str, demand: Demand) -> Json:
        return await desk.sleep(name, demand.by)

    @app.post("/api/v1/services/{name}/auto", dependencies=guarded)
    async def auto(name: str, demand: Demand) -> Json:
        return await desk.auto(name, demand.by)

    @app.get("/api/v1/events", dependencies=guarded)
    async def events(
        service: str | None = None, after: int = 0, limit: int = 200, newest_first: bool = False
    ) -> list[Json]:
        found = await journal.events(
            service=service, after=after, limit=min(max(limit, 1), 10_000), newest_first=newest_first
        )
        return [asdict(event) for event in found]

    @app.get("/api/v1/events/follow", dependencies=guarded)
    async def follow(service: str | None = None, after: int | None = None) -> StreamingResponse:
        return StreamingResponse(_lines(journal, service, after), media_type="application/x-ndjson")

    @app.post("/api/v1/down", dependencies=guarded)
    async def down() -> Json:
        program.down()
        return {"going": "down"}

    @app.post("/api/v1/reload", dependencies=guarded)
    async def reload() -> Mapping[str, Any]:
        return await program.reload()

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        body = {"error": {"message": error.detail, "hint": _TOKEN_HINT if error.status_code == 401 else ""}}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    return app


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
