"""What is sent to a service once more, and what never: counted by the service itself, behind a real Envoy."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from tests.gateway.real_envoy import House, until
from tests.patience import PATIENCE

from poorwill import clock
from poorwill.gateway import again
from poorwill.gateway import switchboard as switchboard_module
from poorwill.gateway.clusters import BUFFER
from poorwill.gateway.routes import Site

SITE = Site("kb", patterns={"busy": ("POST /work", "GET /job"), "background": ("/tick/*",)}, hold=5.0)


class Trouble:
    """A service that fails a number of times at each path, in the way the path says, and counts."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.bodies: dict[str, int] = {}
        self.writers: set[asyncio.StreamWriter] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split(" ", 2)
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                length = int(fields.get("content-length", "0"))
                await reader.readexactly(length)
                self.asked[f"{method} {target}"] += 1
                self.bodies[target] = length
                if not await self.answer(writer, target, self.asked[f"{method} {target}"], fields):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def answer(
        self, writer: asyncio.StreamWriter, target: str, nth: int, fields: dict[str, str]
    ) -> bool:
        """``/500/2`` answers 500 twice, ``/reset/2`` hangs up twice, ``/broken`` does in its answer."""
        _, kind, *rest = target.partition("?")[0].split("/")
        times = int(rest[0]) if rest and rest[0].isdigit() else 0
        leaked = [name for name in fields if name.startswith("x-envoy-") and "retr" in name]
        if leaked:
            writer.write(b"HTTP/1.1 418 Leaked\r\ncontent-length: 0\r\n\r\n")
        elif kind == "broken":
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            writer.write(head + b"9\r\ndata: 1\n\n\r\n")
            await writer.drain()
            return False
        elif kind == "reset" and nth <= times:
            return False
        elif kind.isdigit() and nth <= times:
            writer.write(b"HTTP/1.1 %s Trouble\r\ncontent-length: 4\r\n\r\noops" % kind.encode())
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()
        return True


@asynccontextmanager
async def listening(trouble: Trouble, port: int = 0) -> AsyncIterator[tuple[str, int]]:
    server = await asyncio.start_server(trouble.connected, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for writer in trouble.writers:
            writer.close()


@asynccontextmanager
async def asking(house: House) -> AsyncIterator[Any]:
    async with house.visitor() as client:

        async def ask(method: str, path: str, **more: Any) -> int:
            return (await client.request(method, path, **more)).status_code

        yield ask


async def test_a_fresh_service_is_asked_again_for_what_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard_module, "FRESH", PATIENCE)
    trouble = Trouble()
    async with listening(trouble) as place, asking(house) as ask:
        await house.start(SITE)
        await house.opened("kb", place)
        for path in ("/500/1", "/502/2", "/503/2", "/504/1", "/reset/2", "/tick/500", "/job"):
            assert await ask("GET", path) == 200, path
        assert await ask("HEAD", "/503/1?head") == 200
        assert trouble.asked["GET /reset/2"] == 3
        assert await ask("GET", "/501/1") == 501, "what it cannot do it will not do in a moment either"
        assert await ask("GET", "/404/1") == 404
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert await ask(method, f"/500/1?{method}") == 500
            assert await ask(method, f"/reset/1?{method}") == 503
        assert await ask("POST", "/work/500/1") == 200
        upgrade = {"connection": "upgrade", "upgrade": "websocket"}
        assert await ask("GET", "/503/1?upgrade", headers=upgrade) == 503
        begun = time.monotonic()
        assert await ask("GET", "/500/99") == 500, "an error that is meant comes through"
        assert time.monotonic() - begun < 30
        assert trouble.asked["GET /500/99"] == 1 + again.MOST
        with pytest.raises(httpx2.RemoteProtocolError):
            await ask("GET", "/broken")
        assert trouble.asked["GET /broken"] == 1, "what has begun to arrive cannot be asked for again"
        more = {name: count for name, count in trouble.asked.items() if not name.startswith(("GET", "HEAD"))}
        assert set(more.values()) == {1}, "what may have changed something reached the service once"


async def test_a_settled_service_is_not(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard_module, "FRESH", 3.0)
    trouble = Trouble()
    async with listening(trouble) as place, asking(house) as ask:
        await house.start(SITE)
        await house.opened("kb", place)
        rows = house.folder / "envoy" / "rds.json"
        assert "retriable_status_codes" in rows.read_text()
        assert await ask("GET", "/500/1?fresh") == 200
        await until(lambda: "retriable_status_codes" not in rows.read_text(), "the rows are gone again")
        for nth in range(1000):  # Envoy follows in a moment
            if await ask("GET", f"/500/1?{nth}") == 500:
                break
        assert trouble.asked[f"GET /500/1?{nth}"] == 1
        assert await ask("GET", "/reset/1") == 503
        assert trouble.asked["GET /reset/1"] == 1
        house.switchboard.close("kb")
        await house.settled()
        await house.opened("kb", place)
        assert await ask("GET", "/500/1?again") == 200, "it was away, and has just begun once more"


async def test_what_the_gate_lets_through_may_be_asked_again(house: House) -> None:
    trouble = Trouble()
    async with listening(trouble) as place, asking(house) as ask:
        await house.start(SITE)
        house.routed("kb", switchboard_module.Target(*place))
        await house.settled()
        held = [
            asyncio.create_task(ask(*one))
            for one in (("GET", "/500/2"), ("GET", "/reset/1"), ("POST", "/500/1"))
        ]
        await until(lambda: house.doors["kb"].waiting == 3, "all are held")
        house.doors["kb"].let_through(True)
        assert await asyncio.gather(*held) == [200, 200, 500]
        assert trouble.asked == {"GET /500/2": 3, "GET /reset/1": 2, "POST /500/1": 1}
        house.doors["kb"].passing_since = clock.now().mono - again.FRESH
        assert await ask("GET", "/500/1?later") == 500, "it has let through for long enough to be settled"


async def test_visitors_have_no_say_in_it(house: House) -> None:
    wish = {
        "x-envoy-retry-on": "5xx,reset",
        "x-envoy-max-retries": "5",
        "x-envoy-retriable-status-codes": "500",
    }
    trouble = Trouble()
    async with listening(trouble) as place, asking(house) as ask:
        await house.start(SITE)
        await house.opened("kb", place)
        assert await ask("POST", "/500/3", headers=wish) == 500
        house.switchboard.close("kb")
        await house.settled()
        house.doors["kb"].let_through(True)
        assert await ask("POST", "/reset/3", headers=wish) == 503
        assert set(trouble.asked.values()) == {1}


@pytest.mark.parametrize("size", [0, 60_000, 3_000_000])
async def test_any_request_waits_for_a_connection(house: House, size: int) -> None:
    """Unless Envoy would have to keep a large body for it: that one is told at once, and reached nobody."""
    trouble, body = Trouble(), b"x" * size
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        place = taken.getsockname()[:2]
        async with asking(house) as ask:
            await house.start(SITE)
            await house.opened("kb", place)
            asked = [
                asyncio.create_task(ask(method, "/x", content=body)) for method in ("POST", "PUT", "GET")
            ]
            early, _ = await asyncio.wait(asked, timeout=PATIENCE if size > BUFFER else 0.7)
            taken.close()
            async with listening(trouble, place[1]):
                answers = await asyncio.gather(*asked)
    if size > BUFFER:
        assert (answers, len(early), trouble.asked) == ([503] * 3, 3, Counter())
    else:
        assert (answers, len(early), set(trouble.asked.values())) == ([200] * 3, 0, {1})
        assert trouble.bodies["/x"] == size
