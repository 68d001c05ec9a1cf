"""A real Envoy on a loopback port, everything of the gateway that drives it, and a small service behind."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from tests.patience import PATIENCE, until
from tests.ports import free_port

from poorwill.core.door import GateState, Membership
from poorwill.core.target import Target
from poorwill.gateway import xds
from poorwill.gateway.admin import Admin
from poorwill.gateway.clusters import Upstream
from poorwill.gateway.doors import Door
from poorwill.gateway.envoy import Envoy
from poorwill.gateway.gate import Gate
from poorwill.gateway.routes import Site, Stray
from poorwill.gateway.switchboard import Switchboard
from poorwill.host.table import this_host

STRAY = Stray(pages={"en": "<p>nobody here", "zh": "<p>这里没有"}, other='{"error": "nobody here"}')


@dataclass
class House:
    """``changes`` are the services that Envoy confirmed something of, ``restarts`` the PIDs of new Envoys."""

    folder: Path
    port: int = field(default_factory=free_port)
    node: str = field(default_factory=lambda: f"house-{uuid4().hex[:8]}")  # others may run these tests
    changes: list[str] = field(default_factory=list)
    restarts: list[int] = field(default_factory=list)
    doors: dict[str, Door] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "run").mkdir(exist_ok=True)
        (self.folder / "envoy").mkdir(exist_ok=True)
        self.sockets = xds.sockets_in(self.folder / "run")
        self.admin = Admin(self.sockets.admin)
        self.switchboard = Switchboard(self.folder / "envoy", self.admin, STRAY, self.changes.append)
        self.envoy = self.another_envoy()
        self.gate = Gate(self.doors)
        self.tasks: list[asyncio.Task[None]] = []

    def another_envoy(self, **changed: Any) -> Envoy:
        """What a later life of the control plane has in hand."""
        bootstrap = xds.bootstrap(
            **{
                "node": self.node,
                "listen": ("127.0.0.1", self.port),
                "sockets": self.sockets,
                "folder": self.folder / "envoy",
                **changed,
            }
        )
        return Envoy(self.folder / "envoy", self.admin, bootstrap, this_host())

    def keep(self) -> None:
        """Start Envoy again whenever it ends."""
        self.tasks.append(asyncio.create_task(self.envoy.keep(self._again)))

    def _again(self, pid: int) -> None:
        self.restarts.append(pid)
        self.switchboard.again()

    def shape(self, *sites: Site, upstreams: Mapping[str, Upstream] | None = None) -> None:
        """As ``app.program`` does: the files are there before Envoy is."""
        named = {site.service: site for site in sites}
        self.switchboard.reshape(named, {**dict.fromkeys(named, Upstream()), **(upstreams or {})})
        for name in named:
            self.doors.setdefault(name, Door(name, 5.0, lambda _: None))
        if not self.tasks:
            self.switchboard.write()

    async def start(self, *sites: Site, upstreams: Mapping[str, Upstream] | None = None) -> None:
        self.shape(*sites, upstreams=upstreams)
        await self.gate.serve(self.sockets.gate)
        await self.envoy.arrive()
        self.tasks.append(asyncio.create_task(self.switchboard.run()))
        await self.settled()

    async def settled(self) -> None:
        """Wait until Envoy has confirmed every wish."""
        names = self.doors
        await until(lambda: all(self.switchboard.confirmed(name) for name in names), "envoy confirmed")

    def routed(self, service: str, *addresses: tuple[str, int] | Target) -> None:
        """These and no others are its instances, ``SERVICE-1`` and so on, and visitors are sent there."""
        names = [f"{service}-{number}" for number, _ in enumerate(addresses, 1)]
        for gone in set(self.switchboard.members.places(service)) - set(names):
            self.switchboard.route(service, gone, None)
        for name, address in zip(names, addresses, strict=True):
            self.switchboard.route(service, name, Target(*address))
            self.switchboard.wish(service, name, Membership.IN)

    async def opened(self, service: str, *addresses: tuple[str, int] | Target) -> None:
        self.routed(service, *addresses)
        self.switchboard.open(service)
        await until(lambda: self.switchboard.gate(service).state is GateState.OPEN, "the gate is open")

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.gate.stop()
        await self.envoy.stop()
        await self.admin.close()

    @contextlib.asynccontextmanager
    async def visitor(self, **settings: Any) -> AsyncIterator[httpx2.AsyncClient]:
        url = f"http://127.0.0.1:{self.port}"
        async with httpx2.AsyncClient(
            base_url=url, trust_env=False, verify=False, timeout=PATIENCE, **settings
        ) as client:
            yield client


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")


@contextlib.asynccontextmanager
async def service(
    answer: Answer = plain, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, int]]:
    """An HTTP/1.1 service; ``answer`` is called after each request's head."""
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                await answer(reader, writer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for writer in writers:
            writer.close()
