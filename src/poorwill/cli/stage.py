"""The stage of ``poorwill demo``: its configuration, the running ``up``, and the way to it."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from poorwill import clock
from poorwill.cli.client import Client
from poorwill.config import HostPort
from poorwill.config.units import parse_listen_address
from poorwill.demo.config import SERVICE, demo_config
from poorwill.errors import BadInput, PoorwillError

START_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo; ``url`` is where visitors come in, ``file`` its configuration, ``state`` its folder."""

    url: str
    file: Path
    state: Path
    client: Client
    child: subprocess.Popen[bytes]

    def status(self) -> dict[str, Any]:
        row: dict[str, Any] = self.client.get("/api/v1/services")[0]
        return row

    def why(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.client.get(f"/api/v1/services/{SERVICE}")
        return facts

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.client.get("/api/v1/events", after=after, limit=10_000)
        return rows


@contextlib.contextmanager
def stage(folder: Path, listen: str | None, *, startup: float, idle_after: str) -> Iterator[Stage]:
    """Run ``poorwill up`` with the bundled example, and put everything to sleep at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    front, back = _addresses(listen)
    state = folder / "state"
    file = folder / "poorwill.yaml"
    text = demo_config(
        state, str(front), admin=str(back), data=folder / "notes", startup_s=startup, idle_after=idle_after
    )
    file.write_text(text, encoding="utf-8")
    log = folder / "poorwill.log"
    with log.open("ab") as output:
        # In a session of its own: Ctrl-C reaches this process only, which then ends the child in order.
        child = subprocess.Popen(
            [sys.executable, "-m", "poorwill", "up", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    before = signal.signal(signal.SIGTERM, _end)
    try:
        client = Client(state.absolute())
        _until_serving(client, child, log)
        yield Stage(f"http://{front}", file, state, client, child)
    finally:
        _go_down(child)
        signal.signal(signal.SIGTERM, before)


def _until_serving(client: Client, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = clock.now().mono + START_TIMEOUT
    while not (client.running() and client.get("/healthz")["serving"]):
        if child.poll() is not None or clock.now().mono > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise PoorwillError(f"the demo did not start:\n{tail}", hint=f"all of it is in {log}")
        time.sleep(0.02)


def _go_down(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)  # the second one cuts what is still open
            child.wait(30)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _addresses(listen: str | None) -> tuple[HostPort, HostPort]:
    """The address asked for, or 8080 when it is free, or any that is; and one for the admin API."""
    if listen is None:
        front = HostPort("127.0.0.1", 8080 if _is_free(8080) else _free_port())
    else:
        try:
            front = parse_listen_address(listen)
        except ValueError as error:
            raise BadInput(f"--listen: {error}") from error
    return front, HostPort("127.0.0.1", _free_port())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
