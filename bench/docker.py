"""What Poorwill adds to the wake of a container, and how soon an outside ``docker kill`` is in the journal.

Needs Linux, root and what ``make tools`` installs; elsewhere these figures are left out. The engine is the
tests' own. What is added is measured against a client that starts the same container through the engine's
API and knocks at its port every millisecond, in turns with the wakes.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

import httpx2
from tests.docker_engine import IMAGE, DockerEngine

from bench.figures import Figure, Running, folder, free_port, percentile, running
from poorwill.store.journal import read_only

NAME = "bench"
START_UP = 0.3
"""Seconds until the service in the container listens."""


def measure(wakes: int) -> list[Figure]:
    if sys.platform != "linux" or os.geteuid() != 0:
        print("Figures with containers need Linux and root: left out.")
        return []
    engine = DockerEngine()
    try:
        engine.create()
        return _measured(engine, wakes)
    finally:
        engine.destroy()


def _measured(engine: DockerEngine, wakes: int) -> list[Figure]:
    port = free_port()
    service = f"sleep {START_UP}; httpd -p 8000 -h /www; trap 'exit 0' TERM; sleep 1000 & wait"
    publish = f"127.0.0.1:{port}:8000"
    engine.run("create", "--name", NAME, "--publish", publish, IMAGE, "sh", "-c", service)
    run = {"docker": {"container": NAME, "engine": engine.url}}
    services = {"late": {"run": run, "idle_after": "10m"}}
    woken, bare, told = [], [], []
    with folder() as home, running(home, services) as gateway, _api(engine) as api:
        for _ in range(wakes):
            bare.append(_took(lambda: _start_by_hand(api, port)))
            api.post(f"/containers/{NAME}/stop").raise_for_status()
            _until(lambda: _phase(gateway) == "asleep")
            gateway.say("auto", "late")
            woken.append(_took(lambda: _ask(gateway.url)))
            told.append(_kill(gateway, api))
            gateway.say("sleep", "late")
            _until(lambda: _phase(gateway) == "asleep")
    added = (statistics.median(woken) - statistics.median(bare)) * 1000
    return [
        Figure("a container woken by a request, to its answer: median", statistics.median(woken), "s"),
        Figure("the same by hand, knocking every ms: median", statistics.median(bare), "s"),
        Figure("added by Poorwill, difference of the medians", added, "ms"),
        Figure("outside docker kill to its journal entry: median", statistics.median(told) * 1000, "ms"),
        Figure("outside docker kill to its journal entry: p99", percentile(told, 0.99) * 1000, "ms"),
    ]


def _api(engine: DockerEngine) -> httpx2.Client:
    transport = httpx2.HTTPTransport(uds=str(engine.socket), verify=False)
    return httpx2.Client(transport=transport, base_url="http://docker", timeout=60)


def _took(work: Callable[[], None]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _start_by_hand(api: httpx2.Client, port: int) -> None:
    api.post(f"/containers/{NAME}/start").raise_for_status()
    while True:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/index.html", trust_env=False).raise_for_status()
        except httpx2.TransportError:
            time.sleep(0.001)
        else:
            return


def _ask(url: str) -> None:
    httpx2.get(f"{url}/index.html", timeout=60, trust_env=False).raise_for_status()


def _kill(gateway: Running, api: httpx2.Client) -> float:
    """Seconds from the call of an outsider to the line in the journal, by the wall clock of both."""
    called_at = time.time()
    api.post(f"/containers/{NAME}/kill").raise_for_status()
    found: list[float] = []

    def is_told() -> bool:
        with read_only(gateway.state) as journal:
            events = journal.events(service="late", limit=20, newest_first=True)
        found[:] = [e.at for e in events if e.kind == "noted" and e.at >= called_at and "killed" in e.reason]
        return bool(found)

    _until(is_told)
    return found[0] - called_at


def _phase(gateway: Running) -> str:
    with gateway.api() as api:
        phase: str = api.get("/api/v1/services/late").json()["phase"]
    return phase


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("it did not come about within a minute")
        time.sleep(0.01)
