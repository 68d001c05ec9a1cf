"""The real demo service as a child process on a free port, and a client for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
from tests.patience import PATIENCE

READY_WITHIN_S = PATIENCE


class DemoProcess:
    """``start`` returns when /healthz says 200. Its log is ``log_path``, kept over restarts."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log_path = folder / "service.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._child: subprocess.Popen[bytes] | None = None

    def spawn(self, *options: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "poorwill.demo.service",
            "--port",
            str(self.port),
            "--data",
            str(self.data),
        ]
        source = Path(__file__).parents[2] / "src"
        with self.log_path.open("ab") as log:
            environment = os.environ | {"PYTHONPATH": str(source)}
            self._child = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment)
        return self._child

    def start(self, *options: str) -> httpx2.Client:
        child = self.spawn(*options)
        deadline = time.monotonic() + READY_WITHIN_S
        with self.client() as client:
            while self.health(client) != 200:
                assert child.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.01)
        return self.client()

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=60)

    @staticmethod
    def health(client: httpx2.Client) -> int:
        """The status of /healthz; 0 while nothing listens."""
        try:
            return client.get("/healthz").status_code
        except httpx2.TransportError:
            return 0

    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def child(self) -> subprocess.Popen[bytes]:
        assert self._child is not None
        return self._child

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.child.terminate()
        return self.child.wait(timeout=PATIENCE)

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(timeout=PATIENCE)

    def close(self) -> None:
        if self._child and self._child.poll() is None:
            self.kill()


def ask(client: httpx2.Client, question: str) -> dict[str, object]:
    response = client.post("/api/ask", json={"question": question})
    assert response.status_code == 200, response.text
    answer: dict[str, object] = response.json()
    return answer


def sources(answer: dict[str, object]) -> list[str]:
    passages = answer["passages"]
    assert isinstance(passages, list)
    return [passage["document"] for passage in passages]
