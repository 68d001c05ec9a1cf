"""The HTTP side of the demo service: its page, the two things that one can do there, and its health."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from poorwill.demo.answers import Answer, answer
from poorwill.demo.index import Index
from poorwill.demo.uploads import Refused, read_question, read_upload
from poorwill.demo.words import words_for

log = logging.getLogger("poorwill.demo")

_HEARTBEAT_S = 15.0
_PIECE_S = 0.03  # between two pieces of a streamed answer: a pace at which one sees it stream
_PIECE = re.compile(r"[^\W\u3040-\u9fff]+\W*|[\u3040-\u9fff]{1,2}|\W+|.", re.DOTALL)
_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class Demo:
    """One running service. ``app`` answers 503 until ``load`` is through; ``closing`` ends open streams."""

    def __init__(self, data: Path, *, startup_s: float) -> None:
        self.closing = asyncio.Event()
        self._one_upload = asyncio.Lock()
        self._data = data
        self._startup_s = startup_s
        self._began = time.monotonic()
        self._ready_at: float | None = None
        self._opened: Index | None = None
        self._pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
        routes = [
            Route("/", self._page),
            Route("/api/documents", self._list, methods=["GET"]),
            Route("/api/documents", self._upload, methods=["POST"]),
            Route("/api/ask", self._ask, methods=["POST"]),
            Route("/healthz", self._health),
            Route("/heartbeat", self._heartbeat),
        ]
        handlers = {Refused: _refused, ClientDisconnect: _gone, sqlite3.Error: _broken, OSError: _broken}
        self.app: ASGIApp = _OnlyWhenReady(Starlette(routes=routes, exception_handlers=handlers), self)

    @property
    def ready(self) -> bool:
        return self._ready_at is not None

    async def load(self) -> None:
        """Opens the index, then waits out the pretended loading. Raises FolderUnusable."""
        log.info("starting: index in %s", self._data)
        self._opened = await run_in_threadpool(Index, self._data)
        rest = self._startup_s - (time.monotonic() - self._began)
        if rest > 0:
            log.info("pretending to load a model for %.1f s (nothing is loaded; a real service would)", rest)
            await asyncio.sleep(rest)
        self._ready_at = time.monotonic()
        log.info("ready after %.2f s", self._ready_at - self._began)

    def close(self) -> None:
        if self._opened:
            self._opened.close()

    @property
    def _index(self) -> Index:
        if self._opened is None:
            raise RuntimeError("a request came through before the index was open")
        return self._opened

    def _about(self) -> dict[str, object]:
        awake_s = time.monotonic() - self._ready_at if self._ready_at is not None else 0.0
        return {
            "status": "ready" if self.ready else "loading",
            "awake_s": round(awake_s, 1),
            "startup_s": self._startup_s,
            "pid": os.getpid(),
        }

    async def _page(self, request: Request) -> Response:
        words = words_for(request.headers.get("accept-language", ""))
        page = self._pages.get_template("page.html").render(t=words, startup=f"{self._startup_s:g}")
        return HTMLResponse(page, headers={"vary": "Accept-Language", "cache-control": "no-store"})

    async def _list(self, request: Request) -> Response:
        documents = await run_in_threadpool(self._index.documents)
        return JSONResponse({"documents": [asdict(document) for document in documents]})

    async def _upload(self, request: Request) -> Response:
        upload = await read_upload(request)
        began = time.monotonic()
        async with self._one_upload:  # they would wait in threads otherwise, and leave none for questions
            stored = await run_in_threadpool(self._index.add, upload.name, upload.text)
        log.info("stored %s: %d passages in %.2f s", stored.name, stored.passages, time.monotonic() - began)
        return JSONResponse(asdict(stored), status_code=201)

    async def _ask(self, request: Request) -> Response:
        question = await read_question(request)
        found = await run_in_threadpool(answer, self._index, question)
        if not found.passages:
            nothing = words_for(request.headers.get("accept-language", ""))["nothing"]
            found = Answer(nothing, ())
        if "text/event-stream" in request.headers.get("accept", ""):
            pieces = _pieces(found)
            return StreamingResponse(pieces, media_type="text/event-stream", headers=_STREAM_HEADERS)
        return JSONResponse(_as_json(found))

    async def _health(self, request: Request) -> Response:
        return JSONResponse(self._about(), headers={"cache-control": "no-store"})

    async def _heartbeat(self, request: Request) -> Response:
        """What an open tab keeps: who is here once, then a comment each 15 s until either side leaves."""

        async def beats() -> AsyncIterator[str]:
            yield _event("hello", self._about())
            while not self.closing.is_set():
                try:
                    await asyncio.wait_for(self.closing.wait(), _HEARTBEAT_S)
                except TimeoutError:
                    yield ": still here\n\n"

        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(beats(), media_type="text/event-stream", headers=_STREAM_HEADERS)


class _OnlyWhenReady:
    """Answers everything with 503 while the service loads, as a real one does that has no model yet."""

    def __init__(self, app: ASGIApp, demo: Demo) -> None:
        self._app = app
        self._demo = demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._demo.ready or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loading = JSONResponse(
            {"status": "loading", "error": "loading", "message": "the service is still loading"},
            status_code=503,
            headers={"retry-after": "1"},
        )
        await loading(scope, receive, send)


def _as_json(found: Answer) -> dict[str, object]:
    return {"answer": found.text, "passages": [asdict(passage) for passage in found.passages]}


async def _pieces(found: Answer) -> AsyncIterator[str]:
    """``piece`` events whose texts joined are the answer, then one ``done`` with everything."""
    for piece in _PIECE.findall(found.text):
        yield _event("piece", {"text": piece})
        await asyncio.sleep(_PIECE_S)
    yield _event("done", _as_json(found))


def _event(name: str, content: object) -> str:
    return f"event: {name}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    body = {"error": error.code, "message": str(error), "hint": error.hint}
    return JSONResponse(body, status_code=error.status)


async def _gone(request: Request, error: Exception) -> Response:
    log.info("the client left in the middle of %s; nothing was stored", request.url.path)
    return Response(status_code=499)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("%s failed", request.url.path, exc_info=error)
    return JSONResponse({"error": "storage", "message": f"the data folder failed: {error}"}, status_code=500)
