"""Envoy and its supervisor, which outlive us: started, recognised and adopted, watched, replaced, stopped.

Envoy is adopted only when the recorded process still is the same one (or one that its supervisor started
since), answers on our socket with our node id, and was started with the bootstrap and the binary we would
start it with now. Anything else of ours that still runs is drained and replaced: that is also how an
upgrade happens.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from poorwill.errors import GatewayError
from poorwill.gateway.admin import Admin
from poorwill.gateway.supervisor import SCRIPT, SUPERVISED, Found, Supervisor, check_binary
from poorwill.host.table import Identity, Table, is_alive
from poorwill.host.watch import watch

log = structlog.get_logger()

START_TIMEOUT = 15.0
DRAIN_TIMEOUT = 30.0
"""Seconds open requests get when an Envoy is replaced."""


_PATIENCE = 5.0
"""Seconds until a signal is followed by a stronger one, and that an Envoy found running has to answer."""
_ROUNDS = 5


class Arrival(NamedTuple):
    """How Envoy came to run: ``adopted``, ``started`` or ``replaced``."""

    how: str
    pid: int


class Envoy:
    """One Envoy at a time, kept running by its supervisor until ``stop``; ``forget`` leaves both."""

    def __init__(self, folder: Path, admin: Admin, bootstrap: dict[str, Any], table: Table) -> None:
        self._folder = folder
        self._admin = admin
        self._bootstrap = bootstrap
        self._table = table
        self._gone = asyncio.Event()
        self._wanted = True
        self._identity: Identity | None = None
        self._parent: Identity | None = None
        self._fingerprint = _fingerprint(bootstrap)
        self._supervisor = Supervisor(folder, str(bootstrap["node"]["id"]), self._fingerprint, table)

    @property
    def log_file(self) -> Path:
        return self._supervisor.log_file

    @property
    def supervised(self) -> bool:
        """Whether Envoy would be started again also while the control plane is dead."""
        return self._parent is not None

    async def arrive(self) -> Arrival:
        """Adopt the running Envoy, or start one. Raises GatewayError with what Envoy said."""
        found = await asyncio.to_thread(self._supervisor.found)
        if not found.pids:
            return Arrival("started", await self.start())
        if found.fingerprint == self._fingerprint and await self._answers(found):
            return Arrival("adopted", await self._take(found.supervisor))
        await self._replace(found)
        return Arrival("replaced", await self.start())

    async def start(self) -> int:
        """Start Envoy and wait until it serves; returns its PID."""
        self._check_address()
        fresh = self._folder / "bootstrap.json.new"
        fresh.write_text(json.dumps(self._bootstrap))
        fresh.replace(self._folder / "bootstrap.json")
        parent = await asyncio.to_thread(self._supervisor.spawn)
        try:
            await self._ready(parent, self._supervisor.ended.exists)
            return await self._take(parent)
        except GatewayError:
            await self._end_all(parent)
            raise

    async def keep(self, again: Callable[[int], None]) -> None:
        """See to it that Envoy is started whenever it ends unasked, and tell ``again(pid)``.

        What was open in it is lost; what asks next is not.
        """
        while True:
            await self._gone.wait()
            self._gone.clear()
            pause = 0.1
            while self._wanted and self._identity is None:
                log.error("envoy ended; starting it again")
                try:
                    again(await self._come_back())
                except (GatewayError, OSError) as error:
                    log.error("envoy does not start", error=str(error), hint=getattr(error, "hint", ""))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 10.0)

    async def stop(self) -> None:
        """End Envoy and wait for it. Whatever is still open in it is cut."""
        self._wanted = False
        self._identity, parent = None, self._parent
        self._parent = None
        await self._end_all(parent)
        self._supervisor.forget()

    def forget(self) -> None:
        """Leave Envoy running for the next life of the control plane."""
        self._wanted = False
        self._identity = self._parent = None

    async def _come_back(self) -> int:
        """Its supervisor starts it; without one it is started with a new one."""
        parent = self._parent
        if parent is None or not is_alive(self._table, parent):
            return await self.start()
        await self._ready(parent, lambda: not is_alive(self._table, parent))
        return await self._take(parent)

    async def _ready(
        self, parent: Identity, in_vain: Callable[[], bool], seconds: float = START_TIMEOUT
    ) -> None:
        """Wait until an Envoy serves. Raises GatewayError with what it said."""
        try:
            async with asyncio.timeout(seconds):
                while not await self._admin.ready():
                    if in_vain() or not is_alive(self._table, parent):
                        raise self._refused_to_start()
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise GatewayError(
                f"Envoy was not ready within {seconds:g} s", hint=f"see {self.log_file}"
            ) from None

    async def _take(self, parent: Identity | None) -> int:
        """Watch over the Envoy that serves, and over its supervisor; returns Envoy's PID."""
        found = await asyncio.to_thread(self._supervisor.found)
        if not found.envoys:
            raise GatewayError("Envoy ended as soon as it was ready", hint=f"see {self.log_file}")
        identity = found.envoys[0]
        if self._wanted:
            self._remember(identity, parent)
            self._watch(identity)
            if parent is not None and parent != self._parent:
                self._watch_supervisor(parent)
        return identity.pid

    def _remember(self, identity: Identity, parent: Identity | None) -> None:
        """Without a record both are found again by their marks."""
        try:
            self._supervisor.write(identity, parent)
        except OSError as error:
            log.error("which envoy runs cannot be written down", error=str(error))

    async def _answers(self, found: Found) -> bool:
        """Whether the Envoy that runs is ours. One that its supervisor has just started is waited for."""
        try:
            if found.supervisor is not None:
                await self._ready(found.supervisor, lambda: False, seconds=_PATIENCE)
            return await self._admin.node_id() == str(self._bootstrap["node"]["id"])
        except GatewayError:
            return False

    async def _replace(self, found: Found) -> None:
        """Stop listening, let open requests end, then stop: the next one binds the same sockets."""
        log.warning("replacing an envoy that was started with other settings", pids=found.pids)
        if found.supervisor is not None:
            await self._end(found.supervisor, signal.SIGKILL)
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT):
                await self._admin.drain()
                while await self._admin.open_requests():
                    await asyncio.sleep(0.1)
        except (TimeoutError, GatewayError) as error:
            log.warning("the old envoy did not drain", pids=found.pids, error=str(error) or "timeout")
        await self._end_all(None)

    async def _end_all(self, parent: Identity | None) -> None:
        """The supervisor first; then what it may just have started is looked for until there is none."""
        if parent is not None:
            await self._end(parent, signal.SIGKILL)
        found = await asyncio.to_thread(self._supervisor.found)
        for _ in range(_ROUNDS):
            if not found.pids:
                return
            if found.supervisor is not None:
                await self._end(found.supervisor, signal.SIGKILL)
            for identity in (*found.others, *found.envoys):
                await self._end(identity, signal.SIGTERM, signal.SIGKILL)
            found = await asyncio.to_thread(self._supervisor.found)
        log.error("envoy could not be ended", pids=found.pids)

    async def _end(self, identity: Identity, *signals: signal.Signals) -> None:
        for number in signals:
            if not is_alive(self._table, identity):
                break
            with suppress(ProcessLookupError):  # it ended this very moment
                os.kill(identity.pid, number)
            try:
                async with asyncio.timeout(_PATIENCE):
                    while is_alive(self._table, identity):
                        await asyncio.sleep(0.01)
            except TimeoutError:
                continue
        _reap(identity.pid)

    def _watch(self, identity: Identity) -> None:
        self._identity = identity

        def gone() -> None:
            _reap(identity.pid)
            if self._identity == identity:
                self._identity = None
                self._gone.set()

        watch(self._table, identity, gone)

    def _watch_supervisor(self, parent: Identity) -> None:
        self._parent = parent

        def gone() -> None:
            _reap(parent.pid)
            if self._parent == parent:
                self._parent = None
                log.warning("envoy's supervisor ended; the next Envoy gets a new one", pid=parent.pid)

        watch(self._table, parent, gone)

    def _check_address(self) -> None:
        """Say clearly what Envoy would say in its own words: the address is taken or not allowed."""
        place = self._bootstrap["static_resources"]["listeners"][0]["address"]["socket_address"]
        host, port = place["address"], place["port_value"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                probe.listen(1)
            except PermissionError as error:
                raise GatewayError(
                    f"not allowed to listen on {host}:{port}",
                    hint="ports below 1024 need the right to bind them; try a higher port in `listen:`",
                ) from error
            except OSError as error:
                raise GatewayError(
                    f"cannot listen on {host}:{port}: {error.strerror}",
                    hint="another program has it (`ss -ltnp` shows which), or change `listen:`",
                ) from error

    def _refused_to_start(self) -> GatewayError:
        said = self.log_file.read_text(errors="replace").strip().splitlines()
        lines = [line for line in said if not line.startswith(SUPERVISED)] or said
        if any("inotify" in line for line in lines):
            return GatewayError(
                "Envoy ended at its start: it may not watch as many files as it needs, 4 for each service",
                hint="raise the limit of this host: sudo sysctl fs.inotify.max_user_instances=1024",
            )
        return GatewayError(
            f"Envoy ended at its start: {lines[-1] if lines else 'it printed nothing'}",
            hint=f"all it said is in {self.log_file}",
        )


def _fingerprint(bootstrap: dict[str, Any]) -> str:
    """Of the settings, the binary and the supervisor: after an upgrade a new Envoy replaces the old one."""
    binary = check_binary().stat()
    text = json.dumps([bootstrap, SCRIPT, binary.st_size, binary.st_mtime_ns], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # an earlier life of the control plane was its parent
