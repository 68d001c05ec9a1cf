"""One real Chromium for all browser tests, and a door in front of a service that can be told what to do.

Everything is async on one session loop: Playwright's sync interface would keep a running loop in the main
thread and break every other async test of the same session.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

playwright_api = pytest.importorskip("playwright.async_api")
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect  # noqa: E402
from tests.patience import PATIENCE  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
expect.set_options(timeout=PATIENCE * 1000)
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

SERVICE = '<!doctype html><title>it works</title><link rel="icon" href="data:,"><h1>the service</h1>'


@dataclass
class Door:
    """A tiny HTTP server: ``html`` with 503 until ``ready``, then 200; events as told."""

    port: int = 0
    html: str = ""
    ready: bool = False
    events_status: int = 200
    seen: list[str] = field(default_factory=list)
    visited_at: list[float] = field(default_factory=list)
    first_events: list[tuple[str, object]] = field(default_factory=list)
    streams: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def visits(self) -> int:
        return len(self.visited_at)

    @property
    def listens(self) -> int:
        return sum(target.startswith("/.poorwill/events") for target in self.seen)

    async def say(self, data: object, event: str = "message") -> None:
        """Send to every open stream, waiting for one first."""
        await until(lambda: bool(self.streams))
        for writer in tuple(self.streams):
            await self._write_event(writer, event, data)

    async def _write_event(self, writer: asyncio.StreamWriter, event: str, data: object) -> None:
        with suppress(ConnectionError):  # the tab may have gone meanwhile
            writer.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
            await writer.drain()

    def hang_up(self) -> None:
        for writer in tuple(self.streams):
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            target = head.split(" ")[1]
            self.seen.append(target)
            if target.startswith("/.poorwill/events"):
                await self._stream(reader, writer)
            else:
                self.visited_at.append(asyncio.get_running_loop().time())
                body = SERVICE if self.ready else self.html
                status = "200 OK" if self.ready else "503 Service Unavailable"
                await self._send(writer, status, "text/html; charset=utf-8", body.encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # browsers open connections ahead of need and drop them
        finally:
            self.streams.discard(writer)
            writer.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.events_status != 200:
            await self._send(writer, f"{self.events_status} No", "text/plain", b"no")
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        writer.write(b"retry: 100\n\n")
        for event, data in self.first_events:
            await self._write_event(writer, event, data)
        self.streams.add(writer)
        await reader.read()  # until the tab closes it

    async def _send(self, writer: asyncio.StreamWriter, status: str, kind: str, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close"
        )
        writer.write(f"{head}\r\nCache-Control: no-store\r\n\r\n".encode() + body)
        await writer.drain()


async def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for something to become true; fails the test when it does not in time."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as api:
        chromium = await api.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    fresh = await browser.new_context()
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def door() -> AsyncIterator[Door]:
    served = Door()
    server = await asyncio.start_server(served.answer, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    served.hang_up()


@pytest.fixture
def wait_until() -> Callable[..., Awaitable[None]]:
    return until
