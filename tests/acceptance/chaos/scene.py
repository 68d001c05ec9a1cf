"""The stage of the chaos: one gateway, its visitors, and what fate can do to them.

Whatever fate does goes through here, so that it is written down with its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2
from tests.acceptance.chaos.clock import Clock
from tests.acceptance.chaos.record import Happened, Incident, Line
from tests.acceptance.chaos.tenants import Tenant, diary
from tests.acceptance.chaos.visitors import Visitors
from tests.acceptance.running import PATIENCE, Up, until
from tests.docker_engine import DockerEngine

from poorwill import clock
from poorwill.store.event import Event, Kind
from poorwill.store.journal import read_only

MOMENT = 20.0
"""Seconds within which the moment comes that a trouble waits for, or it has been missed."""

_ENDS = (Kind.STOPPED, Kind.CRASHED)


class Missed(Exception):
    """The moment that a trouble waited for did not come, or was over before it was seen."""


class Scene:
    """``draw`` is fate's own dice: what it throws depends on the seed alone."""

    def __init__(
        self,
        gateway: Up,
        tenants: list[Tenant],
        seed: int,
        clock: Clock | None = None,
        engine: DockerEngine | None = None,
    ) -> None:
        self.gateway = gateway
        self.tenants = {tenant.name: tenant for tenant in tenants}
        self.draw = random.Random(seed)
        self.clock = clock
        self.engine = engine
        nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # visitors share the client, not these
        self.visitors = Visitors(gateway.client(cookies=nobodys), gateway.listen)
        self.incidents: list[Incident] = []
        self.missed: list[str] = []
        self.slept: set[str] = set()
        self.events: list[Event] = []

    @property
    def folder(self) -> Path:
        return self.gateway.folder

    def note(self, what: Happened, at: float, service: str = "", phase: str = "", pid: int = 0) -> None:
        """It began at this time, and is over now."""
        self.incidents.append(Incident(what, at, time.monotonic(), service, phase, pid))

    # --- what is seen ---------------------------------------------------------------------------

    async def phase(self, service: str) -> str:
        """Empty while the control plane is dead."""
        try:
            return str((await self.gateway.status(service))["phase"])
        except (httpx2.HTTPError, OSError):
            return ""

    async def moment(self, true: Callable[[], Any], what: str) -> Any:
        """Wait for what is soon over; raises Missed when it is not seen, as on a very busy machine."""
        try:
            return await until(true, what, MOMENT, every=0.005)
        except AssertionError:
            raise Missed(what) from None

    async def moment_of_work(self, service: str, before: int) -> None:
        """In which it works on a request, by the lines of its diary after the first so many."""
        await self.moment(
            lambda: any(one.id.startswith("work") for one in self.lines(service)[before:]), f"{service} works"
        )

    async def moment_of(self, service: str, phase: str) -> None:
        """In which it is in this phase."""

        async def there() -> bool:
            return await self.phase(service) == phase

        await self.moment(there, f"{service} is {phase}")

    async def moment_of_instances(self, service: str, count: int, phase: str) -> None:
        """In which so many of them, or more, are in this phase."""

        async def there() -> bool:
            return len(await self.instances(service, phase)) >= count

        await self.moment(there, f"{count} of {service} are {phase}")

    async def until_phase(self, service: str, *phases: str, seconds: float = PATIENCE) -> None:
        async def there() -> bool:
            return await self.phase(service) in phases

        await until(there, f"{service} is {' or '.join(phases)}", seconds, every=0.02)

    def read_journal(self) -> list[Event]:
        """What is new in it is read; returns all of it."""
        with read_only(self.gateway.state) as archive:
            last = self.events[-1].id if self.events else 0
            fresh = archive.events(after=last, limit=1_000_000)
        suspended = clock.now().mono - time.monotonic()  # the journal's clock goes on in a host that sleeps
        self.events += [replace(event, mono=event.mono - suspended) for event in fresh]
        return self.events

    def cycles(self) -> int:
        """How often an instance became ready and later ended, or was ended."""
        awake: set[str] = set()
        count = 0
        for event in self.read_journal():
            if event.kind is Kind.READY:
                awake.add(event.instance)
            elif event.kind in _ENDS and event.instance in awake:
                awake.discard(event.instance)
                count += 1
        return count

    def lines(self, service: str) -> list[Line]:
        file = diary(self.folder, service)
        return [Line(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []

    def pid(self, service: str) -> int | None:
        """The process that lives, by its diary."""
        for line in reversed(self.lines(service)):
            if line.what == "end":
                return None
            if line.what == "start":
                return line.pid
        return None

    def living(self, service: str) -> list[int]:
        """The processes that live, by their diary."""
        pids: dict[int, bool] = {}
        for line in self.lines(service):
            if line.what in ("start", "end"):
                pids[line.pid] = line.what == "start"
        killed = {one.pid for one in self.incidents}
        return [pid for pid, lives in pids.items() if lives and pid not in killed]

    async def instances(self, service: str, *phases: str) -> list[str]:
        """Those of a service in one of these phases; none while the control plane is dead."""
        try:
            rows = (await self.gateway.status(service))["instances"]
        except (httpx2.HTTPError, OSError):
            return []
        return [row["id"] for row in rows if row["phase"] in phases]

    # --- what fate does -------------------------------------------------------------------------

    async def kill_control_plane(self, service: str, phase: str) -> float:
        """Dead at once; returns when. ``revive`` ends it."""
        self.gateway.kill9()
        self._killed = (time.monotonic(), service, phase)
        return self._killed[0]

    async def revive(self) -> None:
        await self.gateway.start()
        at, service, phase = self._killed
        self.note(Happened.CONTROL_PLANE_KILLED, at, service, phase)

    async def kill_control_plane_for(self, seconds: float, service: str, phase: str) -> None:
        await self.kill_control_plane(service, phase)
        await asyncio.sleep(seconds)  # for that long nobody is there: not a wait for anything
        await self.revive()

    async def kill_envoy(self, phase: str) -> None:
        """Over when a request is answered again, be it that nobody lives here."""
        at, pid = time.monotonic(), self.gateway.envoy_pid()
        os.kill(pid, signal.SIGKILL)
        await self._until_dead(pid)
        await until(self._answers, "Envoy answers again", every=0.005)
        self.note(Happened.ENVOY_KILLED, at, phase=phase)

    async def _until_dead(self, pid: int) -> None:
        await until(lambda: pid not in {one.pid for one in self.gateway.left()}, "it is dead", every=0.001)

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.listen)
            writer.write(b"HEAD / HTTP/1.1\r\nhost: nobody.test\r\nconnection: close\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return line.startswith(b"HTTP/1.1 ")
        return False

    async def kill_service(self, service: str, phase: str) -> None:
        """Over when it is dead; nothing happens when it does not live."""
        pid = self.pid(service)
        if pid is not None:
            await self.kill_process(service, pid, phase)

    async def kill_process(self, service: str, pid: int, phase: str) -> None:
        at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await self._until_dead(pid)
        self.note(Happened.CRASHED, at, service, phase, pid)

    @contextlib.asynccontextmanager
    async def failing(self, service: str) -> AsyncIterator[None]:
        """Fate makes the service fail inside; it is over when a person's wake has worked again."""
        at = time.monotonic()
        yield
        await self.until_healthy(service)
        self.note(Happened.FAILING, at, service)

    async def until_healthy(self, service: str) -> None:
        """A person's wake is tried at once, whatever the back-off says."""
        await self.gateway.post(f"/api/v1/services/{service}/wake", {"by": "by fate"})
        await self.until_phase(service, "awake")
        await self.gateway.post(f"/api/v1/services/{service}/auto", {"by": "by fate"})

    @contextlib.asynccontextmanager
    async def slept_by_hand(self, service: str) -> AsyncIterator[None]:
        """A person says sleep, and gives it back at the end."""
        at = time.monotonic()
        self.slept.add(service)
        await self.gateway.post(f"/api/v1/services/{service}/sleep", {"by": "by fate"})
        yield
        await self.gateway.post(f"/api/v1/services/{service}/auto", {"by": "by fate"})
        self.slept.discard(service)
        self.note(Happened.SLEPT, at, service)

    async def asleep_by_hand(self, service: str) -> None:
        async with self.slept_by_hand(service):
            await self.until_phase(service, "asleep")
