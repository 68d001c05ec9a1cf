"""`poorwill up` as a user starts it, in front of one service that somebody else wrote."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from poorwill.store.folder import control_socket

Json = dict[str, Any]


@dataclass(frozen=True)
class Gateway:
    """A running `poorwill up` and what can be asked of it."""

    file: Path
    port: int
    service: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return self.file.parent / "state"

    def why(self) -> Json:
        """What `poorwill why --json` prints."""
        transport = httpx2.HTTPTransport(uds=str(control_socket(self.state)))
        with httpx2.Client(transport=transport, base_url="http://poorwill") as client:
            found: Json = client.get(f"/api/v1/services/{self.service}").raise_for_status().json()
        return found

    def until(self, true: Callable[[Json], bool], seconds: float) -> Json:
        """Wait for something to become true of the service; fails with what it is like instead."""
        deadline = time.monotonic() + seconds
        while not true(why := self.why()):
            assert time.monotonic() < deadline, json.dumps(why, indent=2)
            time.sleep(0.05)
        return why

    def until_asleep(self, seconds: float) -> Json:
        return self.until(lambda why: bool(why["phase"] == "asleep"), seconds)

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "poorwill", *words, "--file", str(self.file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def events(self) -> list[Json]:
        return [json.loads(line) for line in self.command("events", "--json", "-n", "500").splitlines()]


@contextmanager
def running(folder: Path, service: str, config: Json) -> Iterator[Gateway]:
    port, admin = free_port(), free_port()
    file = folder / "poorwill.yaml"
    document = {
        "listen": f"127.0.0.1:{port}",
        "admin": f"127.0.0.1:{admin}",
        "state": str(folder / "state"),
        "services": {service: config},
    }
    file.write_text(json.dumps(document, indent=2))  # JSON is YAML
    gateway = Gateway(file, port, service)
    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen([sys.executable, "-m", "poorwill", "up", str(file)], stdout=log, stderr=log)
        try:
            _until_serving(up, folder / "up.log")
            yield gateway
            gateway.command("down", "--now", "--wait", "30")
            assert up.wait(30) == 0, (folder / "up.log").read_text()
        finally:
            if up.poll() is None:
                up.kill()
                up.wait()
            print((folder / "up.log").read_text())  # shown by pytest when the test failed


def _until_serving(up: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while "Poorwill serves" not in (said := log.read_text()):
        assert up.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Json], Gateway]]:
    """Starts a gateway for a service (name, its part of the configuration); ends it after the module."""
    with ExitStack() as open_gateways:

        def start(service: str, config: Json) -> Gateway:
            folder = tmp_path_factory.mktemp(service)
            return open_gateways.enter_context(running(folder, service, config))

        yield start
