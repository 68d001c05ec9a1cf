"""Poorwill as its users have it: `poorwill up` in a process of its own, killed and started again at will."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx2
import psutil
from tests.acceptance.commands import CLEAN, POORWILL, Said, command
from tests.acceptance.machine import processes
from tests.patience import PATIENCE, until
from tests.ports import free_port

from poorwill.store.folder import control_socket, sockets_of

UPSTREAM = Path(__file__).with_name("upstream.py")

Json = dict[str, Any]


DEEDS = ("woken", "start", "started", "ready", "stop", "stopped", "failed", "crashed")
"""Kinds of the journal's lines that tell what was done and what came of it."""


@dataclass
class Up:
    """One configuration in its own folder, and the `poorwill up` that serves it."""

    folder: Path
    services: dict[str, Json]
    listen: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    top: Json = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    clients: list[httpx2.AsyncClient] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    # --- the configuration -----------------------------------------------------------------------

    @property
    def file(self) -> Path:
        return self.folder / "poorwill.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.folder / "up.log"

    def write(self) -> None:
        """JSON is YAML."""
        settings = {
            "listen": f"127.0.0.1:{self.listen}",
            "admin": f"127.0.0.1:{self.admin}",
            "state": "./state",
            **self.top,
            "services": self.services,
        }
        self.file.write_text(json.dumps(settings, indent=2))

    # --- coming and going ------------------------------------------------------------------------

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*POORWILL, "up", str(self.file), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**CLEAN, **self.variables},
                cwd=self.folder,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start it and wait until it serves."""
        self.write()
        before = self.log.stat().st_size if self.log.exists() else 0
        self.process = process = self.spawn()

        def serves() -> bool:
            text = self.log.read_bytes()[before:]
            assert process.poll() is None, f"poorwill up ended:\n{text.decode(errors='replace')}"
            return b"Poorwill serves" in text

        await until(serves, "poorwill up serves")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill9(self) -> None:
        """The control plane dies at once, in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process = None

    async def end(self, number: signal.Signals, seconds: float = PATIENCE) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        process = self.process
        assert process is not None
        process.send_signal(number)
        await until(lambda: process.poll() is not None, f"poorwill ends after {number.name}", seconds)
        self.process = None
        return int(process.returncode)

    async def terminate(self) -> int:
        return await self.end(signal.SIGTERM)

    async def interrupt(self) -> int:
        return await self.end(signal.SIGINT)

    async def finish(self) -> None:
        """Put everything down and prove that nothing is left; a dead control plane is started again first."""
        try:
            await self.hang_up()
            if self.process is not None and self.process.poll() is not None:
                self.process = None
            if self.process is None:
                await self.start()
            process = self.process
            assert process is not None
            await self.post("/api/v1/down")  # waits for open work
            with contextlib.suppress(httpx2.TransportError):  # nothing was open: it is down already
                await self.post("/api/v1/down")  # does not
            await until(lambda: process.poll() is not None, "poorwill is down")
            self.process = None
            assert process.returncode == 0
            left = self.left()
            assert left == [], [process.cmdline() for process in left]
        finally:
            await self.wipe()

    async def hang_up(self) -> None:
        for client in self.clients:
            await client.aclose()

    async def wipe(self) -> None:
        """End whatever of this folder still runs, by process id; others' stories go on meanwhile."""
        await self.hang_up()
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None
        while left := self.left():
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            await asyncio.sleep(0.02)
        outside = sockets_of(self.state)
        if outside.parent != self.state:
            shutil.rmtree(outside, ignore_errors=True)

    # --- what runs -------------------------------------------------------------------------------

    def gateway(self) -> str:
        file = self.state / "gateway-id"
        return file.read_text().strip() if file.exists() else "none"

    def left(self) -> list[psutil.Process]:
        """Every process of this gateway, the control plane aside; who starts others comes first."""
        supervisors = self._marked(lambda mark: mark == f"{self.gateway()}/supervisor")
        return [*supervisors, *self.envoys(), *self.children()]

    def envoys(self) -> list[psutil.Process]:
        bootstrap = str(self.state / "envoy" / "bootstrap.json")
        return processes(lambda process: bootstrap in process.cmdline())

    def children(self, service: str = "") -> list[psutil.Process]:
        mark = f"{self.gateway()}/{service}/" if service else f"{self.gateway()}/"
        others = {f"{self.gateway()}/envoy", f"{self.gateway()}/supervisor"}
        return self._marked(lambda found: found.startswith(mark) and found not in others)

    def _marked(self, ours: Callable[[str], bool]) -> list[psutil.Process]:
        return processes(lambda process: ours(process.environ().get("POORWILL_INSTANCE", "")))

    def envoy_pid(self) -> int:
        pid: int = json.loads((self.state / "envoy" / "envoy.json").read_text())["envoy"][1]
        return pid

    # --- asking ----------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listen}"

    def client(self, **settings: Any) -> httpx2.AsyncClient:
        """A visitor. Many may wait at once."""
        limits = httpx2.Limits(max_connections=2000, max_keepalive_connections=100)
        client = httpx2.AsyncClient(
            base_url=self.url, trust_env=False, verify=False, timeout=2 * PATIENCE, limits=limits, **settings
        )
        self.clients.append(client)
        return client

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path)

    async def post(self, path: str, body: Json | None = None) -> Any:
        return await self._ask("POST", path, body or {})

    async def _ask(self, method: str, path: str, body: Json | None = None) -> Any:
        """The way the command line goes, without its start-up time."""
        transport = httpx2.AsyncHTTPTransport(uds=str(control_socket(self.state)), verify=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://poorwill") as client:
            answer = await client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()

    async def status(self, service: str) -> Json:
        """What `why --json` says, which is the row of `status --json` and more."""
        row: Json = await self.get(f"/api/v1/services/{service}")
        return row

    async def until_phase(self, service: str, phase: str, seconds: float = PATIENCE) -> Json:
        async def there() -> Json | None:
            row = await self.status(service)
            return row if row["phase"] == phase else None

        found: Json = await until(there, f"{service} is {phase}", seconds, every=0.02)
        return found

    async def until_waiting(self, service: str, count: int, seconds: float = PATIENCE) -> None:
        async def counted() -> bool:
            return bool((await self.status(service))["waiting"] == count)

        await until(counted, f"{count} requests wait for {service}", seconds, every=0.02)

    async def cli(self, *words: str, file: Path | None = None, seconds: float = 2 * PATIENCE) -> Said:
        """Run a command on this configuration."""
        return await command(*words, "--file", str(file or self.file), cwd=self.folder, seconds=seconds)

    def events(self, service: str | None = None, *kinds: str) -> list[Json]:
        """The journal, read as anybody may while it is being written."""
        from dataclasses import asdict

        from poorwill.store.journal import read_only

        with read_only(self.state) as archive:
            found = archive.events(service=service, limit=100_000)
        return [asdict(event) for event in found if not kinds or event.kind in kinds]

    def phases(self, service: str) -> list[str]:
        """Those it has been through; a line of the journal that only gives another reason counts for none."""
        told = [one["detail"]["phase"] for one in self.events(service, "phase")]
        return [phase for phase, _ in groupby(told)]

    # --- what the services saw -------------------------------------------------------------------

    def journal(self, service: str) -> Path:
        return self.folder / f"{service}.journal"

    def seen(self, service: str) -> list[str]:
        """Lines that the service wrote: its starts and the requests that reached it."""
        file = self.journal(service)
        return file.read_text().splitlines() if file.exists() else []

    def starts(self, service: str) -> int:
        return sum(line.startswith("start ") for line in self.seen(service))

    def requests(self, service: str) -> list[str]:
        return [line for line in self.seen(service) if not line.startswith("start ")]


def service(folder: Path, name: str, *options: str, **settings: Any) -> Json:
    """The configuration of an upstream: on a port that Poorwill chooses, asleep after a second of idling."""
    words = [sys.executable, str(UPSTREAM), "{port}", "--journal", str(folder / f"{name}.journal"), *options]
    return {
        "hosts": [f"{name}.test"],
        "run": {"process": {"command": words, "stop_timeout": "3s"}},
        "ready": {"path": "/ready", "timeout": "60s"},
        "idle_after": "1s",
        "drain": "1s",
        "hold": "60s",
        **settings,
    }


def host(name: str) -> dict[str, str]:
    return {"host": f"{name}.test"}
