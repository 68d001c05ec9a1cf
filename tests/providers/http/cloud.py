"""A cloud that is as unkind as real ones, speaking their dialects over real HTTP on loopback.

``Weather`` says how unkind. ``on_power_on`` and ``on_power_off`` may make a machine something real: what
the former returns is reported as the machine's values (its host, its SSH port).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.providers.http.dialects import DIALECTS, Dialect
from tests.providers.http.wire import Asked, Reply, Server

TOKEN = "secret-token-of-the-fake-cloud"


@dataclass
class Weather:
    """Seconds, and what goes wrong. Numbers of calls count down."""

    start_takes: float = 0.0
    stop_takes: float = 0.0
    lag: float = 0.0
    """How old what a status shows is."""
    throttled: int = 0
    retry_after: int | None = None
    broken: int = 0
    """How many calls are answered 500 with a page of HTML."""
    dark: bool = False
    token_expired: bool = False
    no_stock: bool = False
    refuses_start: bool = False
    hangs_stop: bool = False
    hangs_start: bool = False
    """The start is carried out and never answered."""
    ignores_stop: bool = False
    """A stop is accepted and does nothing."""
    ignores_stop_while_starting: bool = False
    ignores_start: bool = False


@dataclass
class Machine:
    """``state`` is off, starting, running, stopping, or a word that nobody knows. ``shown`` is what a status
    tells: the same, later.
    """

    id: str
    state: str = "off"
    shown: str = "off"
    starts: int = 0
    values: dict[str, str] = field(default_factory=dict)


Hook = Callable[[Machine], Awaitable[Mapping[str, str] | None]]


class FakeCloud:
    """``calls`` is every request it got. ``async with`` it."""

    def __init__(self, dialect: str = "autodl", machines: tuple[str, ...] = ("a", "b", "c")) -> None:
        self.dialect: Dialect = DIALECTS[dialect]
        self.usual = Weather()
        """What ``mend`` comes back to."""
        self.weather = replace(self.usual)
        self.machines = {name: Machine(name) for name in machines}
        self.calls: list[Asked] = []
        self.dialect_timer = False
        """Whether ``POST /timer/ID`` is understood, which no dialect has."""
        self.on_power_on: Hook | None = None
        self.on_power_off: Hook | None = None
        self._server = Server(self._answer)
        self._tasks: set[asyncio.Task[None]] = set()
        self._mended = asyncio.Event()

    async def __aenter__(self) -> FakeCloud:
        await self._server.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.close()
        for machine in self.machines.values():
            if machine.state != "off" and self.on_power_off is not None:
                await self.on_power_off(machine)

    @property
    def url(self) -> str:
        return self._server.url

    def mend(self) -> None:
        self.weather = replace(self.usual)
        self._mended.set()
        self._mended = asyncio.Event()

    def asked(self, what: str) -> int:
        """How often it was asked to start or stop something."""
        return sum(self.dialect.understands(call)[0] == what for call in self.calls)

    def becomes(self, machine: Machine, state: str) -> None:
        """Change the state now; what is shown follows."""
        machine.state = state
        if not self.weather.lag:
            machine.shown = state
            return
        self._later(self._show(machine, state, self.weather.lag))

    def power_on(self, machine: Machine) -> None:
        """Also what somebody does in the cloud's console."""
        machine.starts += 1
        machine.values = {"host": "127.0.0.1", "ssh_port": str(20_000 + machine.starts)}
        self.becomes(machine, "starting")
        self._later(self._boot(machine, self.weather.start_takes))

    def power_off(self, machine: Machine) -> None:
        self.becomes(machine, "stopping")
        self._later(self._halt(machine, self.weather.stop_takes))

    async def _answer(self, asked: Asked) -> Reply:
        self.calls.append(asked)
        weather = self.weather
        if weather.dark:
            return Reply(503, "<html>Service Unavailable</html>")
        if weather.broken:
            weather.broken -= 1
            return Reply(500, "<html>Internal Server Error</html>")
        if weather.throttled:
            weather.throttled -= 1
            headers = {} if weather.retry_after is None else {"retry-after": str(weather.retry_after)}
            return Reply(429, {"detail": "too many requests"}, headers)
        if weather.token_expired or not self.dialect.lets_in(asked, TOKEN):
            return self.dialect.denied()
        if self.dialect_timer and asked.path.startswith("/timer/"):
            return self.dialect.accepted()
        what, which = self.dialect.understands(asked)
        if what == "list":
            return self.dialect.listed(list(self.machines.values()))
        machine = self.machines.get(which)
        if machine is None:
            return self.dialect.unknown()
        match what:
            case "status":
                return self.dialect.status(machine)
            case "details":
                return self.dialect.details(machine)
            case "start":
                return await self._start(machine)
            case "stop":
                return await self._stop(machine)
        return Reply(405, {"message": f"nothing is done by {asked.method} {asked.path}"})

    async def _start(self, machine: Machine) -> Reply:
        weather = self.weather
        if weather.no_stock:
            return self.dialect.no_stock()
        if weather.refuses_start:
            return self.dialect.refused("the instance is locked")
        if machine.state != "off":
            return self.dialect.refused(f"it is {machine.state}")
        if not weather.ignores_start:
            self.power_on(machine)
        if weather.hangs_start:
            await self._mended.wait()
        return self.dialect.accepted()

    async def _stop(self, machine: Machine) -> Reply:
        weather = self.weather
        if weather.hangs_stop:
            await self._mended.wait()
            return self.dialect.refused("too late")
        ignored = weather.ignores_stop or (
            weather.ignores_stop_while_starting and machine.state == "starting"
        )
        if ignored:
            return self.dialect.accepted()
        if machine.state not in ("running", "starting"):
            return self.dialect.refused(f"it is {machine.state}")
        self.power_off(machine)
        return self.dialect.accepted()

    async def _boot(self, machine: Machine, takes: float) -> None:
        start = machine.starts
        await asyncio.sleep(takes)
        if self.on_power_on is not None:
            machine.values.update(await self.on_power_on(machine) or {})
        if machine.state == "starting" and machine.starts == start:
            self.becomes(machine, "running")

    async def _halt(self, machine: Machine, takes: float) -> None:
        await asyncio.sleep(takes)
        if self.on_power_off is not None:
            await self.on_power_off(machine)
        self.becomes(machine, "off")

    async def _show(self, machine: Machine, state: str, lag: float) -> None:
        await asyncio.sleep(lag)
        machine.shown = state

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
