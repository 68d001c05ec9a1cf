"""One measured figure, and the running program it is measured on."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True)
class Figure:
    """``aim`` is the goal in words, empty for a figure that only explains another."""

    name: str
    value: float
    unit: str
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A running ``poorwill up``; ``url`` is where visitors come in."""

    url: str
    pid: int
    file: Path
    state: Path
    took: float

    def say(self, *words: str) -> Any:
        """Run a command of the program on this one; its JSON when it prints some."""
        command = [sys.executable, "-m", "poorwill", *words, "--file", str(self.file)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return json.loads(out) if "--json" in words else out

    def api(self) -> httpx2.Client:
        """A client of the control socket."""
        transport = httpx2.HTTPTransport(uds=str(self.state / "run" / "control.sock"), verify=False)
        return httpx2.Client(transport=transport, base_url="http://poorwill", timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pw-bench-") as name:
        yield Path(name)


@contextlib.contextmanager
def running(home: Path, services: dict[str, Any]) -> Iterator[Running]:
    """Run ``poorwill up`` and put everything to sleep at the end."""
    listen, admin = free_port(), free_port()
    file = home / "poorwill.yaml"
    settings = {
        "listen": f"127.0.0.1:{listen}",
        "admin": f"127.0.0.1:{admin}",
        "state": str(home / "state"),
        "services": services,
    }
    file.write_text(json.dumps(settings))  # JSON is YAML
    begun = time.monotonic()
    with (home / "log").open("ab") as log:
        command = [sys.executable, "-m", "poorwill", "up", str(file)]
        child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{listen}"
        _until_serving(url, child)
        yield Running(url, child.pid, file, home / "state", time.monotonic() - begun)
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)


def _until_serving(url: str, child: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            httpx2.head(url, trust_env=False)  # a HEAD wakes nothing
        except httpx2.TransportError:
            if child.poll() is not None:
                raise RuntimeError("poorwill ended at its start") from None
            time.sleep(0.01)
        else:
            return


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
