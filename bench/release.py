"""From "the service can answer" to "the held request is answered".

The service writes down the monotonic time at which it began to listen; the client reads the same clock
when its answer is there. Side by side, in the same runs, a client that knows the port and knocks every
millisecond shows what is possible at all.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time

import httpx2

from bench import late
from bench.figures import Figure, Running, folder, free_port, percentile, running

STARTUPS = (0.3, 2.0)
"""Seconds a start takes, drawn evenly in between with a fixed seed."""


def measure(wakes: int) -> list[Figure]:
    draw = random.Random(7)
    held, knocked = [], []
    with folder() as home:
        port = free_port()
        moment = home / "moment"
        script = home / "late.sh"
        services = {
            "late": {
                "run": {"process": {"command": ["sh", str(script)]}},
                "address": f"127.0.0.1:{port}",
                "idle_after": "10m",
            }
        }
        with running(home, services) as gateway:
            for _ in range(wakes):
                startup = draw.uniform(*STARTUPS)
                script.write_text(f"exec {sys.executable} {late.__file__} {port} {startup} {moment}\n")
                moment.unlink(missing_ok=True)
                answered, knock = _wake(gateway, port)
                began = float(moment.read_text())
                held.append((answered - began) * 1000)
                knocked.append((knock - began) * 1000)
                _sleep(gateway)
    return [
        Figure(
            "held request answered after the service can: median", statistics.median(held), "ms", "aim 25"
        ),
        Figure("held request answered after the service can: p99", percentile(held, 0.99), "ms", "aim 60"),
        Figure("a client knocking every ms, same runs: median", statistics.median(knocked), "ms"),
        Figure("a client knocking every ms, same runs: p99", percentile(knocked, 0.99), "ms"),
    ]


def _wake(gateway: Running, port: int) -> tuple[float, float]:
    """When the held request, and the knocking one, were answered."""
    knock: list[float] = []
    thread = threading.Thread(target=_knock, args=(port, knock))
    thread.start()
    with httpx2.Client(timeout=60, trust_env=False, verify=False) as client:
        client.get(gateway.url).raise_for_status()
        answered = time.monotonic()
    thread.join()
    return answered, knock[0]


def _knock(port: int, answered: list[float]) -> None:
    with httpx2.Client(timeout=60, trust_env=False, verify=False) as client:
        while not answered:
            try:
                client.get(f"http://127.0.0.1:{port}")
                answered.append(time.monotonic())
            except httpx2.TransportError:
                time.sleep(0.001)


def _sleep(gateway: Running) -> None:
    with gateway.api() as api:
        api.post("/api/v1/services/late/sleep", json={}).raise_for_status()
        while api.get("/api/v1/services").json()[0]["phase"] != "asleep":
            time.sleep(0.02)
        api.post("/api/v1/services/late/auto", json={}).raise_for_status()
