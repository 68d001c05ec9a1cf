"""Several instances of one small service, which count what they are asked, behind one real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.gateway.real_envoy import House, until

from poorwill.core.door import Membership
from poorwill.core.target import Target

HOST = {"host": "it.test"}


@dataclass
class Hand:
    """One instance. Its answer is its name, and not given before it is ``free``. ``/stream`` goes on until
    ``enough``; a websocket says everything again. ``most`` is how many were at work at once.
    """

    name: str
    takes: float = 0.02
    asked: int = 0
    now: int = 0
    most: int = 0
    target: Target = field(default_factory=lambda: Target("127.0.0.1", 0))
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self.free.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.target.port)
        self.target = Target(*self._server.sockets[0].getsockname()[:2])
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.die()
        await asyncio.sleep(0)

    def die(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                await self._answer(head, reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if "upgrade: websocket" in head.lower():
                writer.write(b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
                while said := await reader.read(100):
                    writer.write(self.name.encode() + b":" + said)
            elif head.split()[1].startswith("/stream"):
                await self._stream(writer)
            else:
                length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
                await reader.readexactly(int(length or 0))
                await asyncio.sleep(self.takes)
                await self.free.wait()
                writer.write(
                    f"HTTP/1.1 200 OK\r\ncontent-length: {len(self.name)}\r\n\r\n{self.name}".encode()
                )
        finally:
            self.now -= 1
        await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        line = f"data: {self.name}\n\n".encode()
        while not self.enough.is_set():
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await self.enough.wait()
        writer.write(b"0\r\n\r\n")


@contextlib.asynccontextmanager
async def crew(count: int, takes: float = 0.02) -> AsyncIterator[list[Hand]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Hand(f"it-{number}", takes)) for number in range(1, count + 1)]


async def put(house: House, wish: Membership, *hands: Hand) -> None:
    """Wish, and wait until Envoy says so."""
    for hand in hands:
        house.switchboard.route("it", hand.name, hand.target)
        house.switchboard.wish("it", hand.name, wish)
    await until(
        lambda: all(house.switchboard.member("it", hand.name).state is wish for hand in hands), str(wish)
    )


async def opened(house: House, *hands: Hand) -> None:
    await put(house, Membership.IN, *hands)
    house.switchboard.open("it")
    await house.settled()


async def ask(
    house: House, count: int, at_once: int, method: str = "GET", path: str = "/", **settings: Any
) -> Counter[str]:
    """Who answered how often; what is not answered with 200 counts under its status."""
    turns, found = asyncio.Semaphore(at_once), Counter[str]()
    async with house.visitor() as client:

        async def one() -> None:
            async with turns:
                answer = await client.request(method, path, headers=HOST, **settings)
                client.cookies.clear()
                found[answer.text if answer.status_code == 200 else str(answer.status_code)] += 1

        await asyncio.gather(*(one() for _ in range(count)))
    return found
