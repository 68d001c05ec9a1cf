"""Two instances of a real Gradio app behind one gateway: each keeps its visitors' sessions in its own memory.

A visitor of a Gradio app sends what he wants with one request and hears of it on another: both must reach the
instance that has his session.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from tests.acceptance.real.test_gradio import APP, QUIETER, WAKE
from tests.gateway.real_envoy import House
from tests.ports import free_port

from poorwill.gateway.clusters import Upstream
from poorwill.gateway.routes import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STICKY = Site("sticky", hosts=("sticky.test",), hold=5.0)
LOOSE = Site("loose", hosts=("loose.test",), hold=5.0)
VISITORS = 20
ROUNDS = 3


TWICE = """
import os, runpy, sys, gradio
app, notes, *ports = sys.argv[1:]
sys.argv = [app, ports[os.fork() == 0], notes]
runpy.run_path(app, run_name="__main__")
"""
"""Two processes, of which only one has to import Gradio: most of its start."""


@contextlib.asynccontextmanager
async def apps(folder: Path) -> AsyncIterator[list[tuple[str, int]]]:
    """Two instances, which need a while until they answer."""
    ports = [free_port(), free_port()]
    with (folder / "app.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", TWICE, str(APP), str(folder / "notes.txt"), *map(str, ports)),
            env={**os.environ, **QUIETER},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield [("127.0.0.1", port) for port in ports]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def ready(address: tuple[str, int]) -> None:
    url = f"http://{address[0]}:{address[1]}/config"
    async with asyncio.timeout(2 * WAKE), httpx2.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("gradio")
    house = House(folder)
    async with apps(folder) as addresses:
        upstreams = {"sticky": Upstream(many=True, sticky=True), "loose": Upstream(many=True)}
        await asyncio.gather(*map(ready, addresses))
        await house.start(STICKY, LOOSE, upstreams=upstreams)
        for name in upstreams:
            await house.opened(name, *addresses)
        yield house
        await house.stop()


async def kept(visitor: httpx2.AsyncClient, keep: int, session: str, patience: float) -> list[str]:
    """What the app says each time that this visitor has kept a note: it counts them in his session."""
    said = []
    for _ in range(ROUNDS):
        wanted = {"data": ["x", None], "fn_index": keep, "session_hash": session}
        answer = await visitor.post("/gradio_api/queue/join", json=wanted)
        assert answer.status_code == 200
        said.append(await outcome(visitor, session, patience))
    return said


async def outcome(visitor: httpx2.AsyncClient, session: str, patience: float) -> str:
    """An instance that does not know the session breaks the stream off, or says nothing."""
    stream = visitor.stream("GET", f"/gradio_api/queue/data?session_hash={session}")
    with contextlib.suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(patience), stream as events:
            async for line in events.aiter_lines():
                event = json.loads(line.removeprefix("data: ") or "{}") if line.startswith("data: ") else {}
                if event.get("msg") == "process_completed":
                    return str(event["output"].get("data", ["", "", event])[2])
    return "nothing"


async def everybody(house: House, service: str, patience: float) -> tuple[list[list[str]], Counter[str]]:
    """They come one after another, and then use the app at the same time. Also: which cookies they got."""
    async with contextlib.AsyncExitStack() as stack:
        visitors = []
        for _ in range(VISITORS):
            visitor = await stack.enter_async_context(house.visitor(headers={"host": f"{service}.test"}))
            functions = (await visitor.get("/config")).json()["dependencies"]
            keep = next(one["id"] for one in functions if one["api_name"] == "keep")
            visitors.append(visitor)
        visits = (
            kept(visitor, keep, f"session{number}", patience) for number, visitor in enumerate(visitors)
        )
        said = await asyncio.gather(*visits)
        return said, Counter(visitor.cookies.get(f"poorwill-{service}") or "none" for visitor in visitors)


COUNTED = [f"{number} kept in this session" for number in range(1, ROUNDS + 1)]


async def test_each_visitor_has_his_session_where_visitors_stay(house: House) -> None:
    said, by = await everybody(house, "sticky", WAKE)
    assert said == [COUNTED] * VISITORS
    assert len(by) == 2, "both instances have visitors"


async def test_sessions_break_where_visitors_do_not_stay(house: House) -> None:
    said, by = await everybody(house, "loose", 3.0)
    assert set(by) == {"none"}
    assert said.count(COUNTED) < VISITORS / 2
