"""A step of load: from nothing to many requests a second at a service with several instances.

The visitors are a process of their own, and so is each instance: on two cores the visitors, Envoy and the
instances share what there is.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.figures import Figure, Running, folder, percentile, running
from poorwill.store.journal import read_only

SECONDS = 12.0
STEP = 4.0
"""Seconds that count as the step itself; after that the instances it needs are there."""

WORK = 0.025
"""Seconds that each request takes at the service."""

RULE = 3.0
"""Seconds for which the threshold has to be crossed in the run with a rule."""


def measure(rate: int) -> list[Figure]:
    return [*_target(rate), *_rule()]


def _service(**settings: Any) -> dict[str, Any]:
    words = [sys.executable, "-m", "bench.step", "serve", "{port}", "1", str(WORK)]
    run = {"process": {"command": words, "cwd": str(Path(__file__).parent.parent)}}
    return {"run": run, "ready": {"path": "/ready"}, "idle_after": "60s", **settings}


def _target(rate: int) -> list[Figure]:
    policy = {"max_instances": 4, "target": {"concurrency": 6}}
    with folder() as home, running(home, {"step": _service(concurrency=8, scale_policy=policy)}) as gateway:
        told = _visit(gateway, rate, SECONDS)
        with read_only(gateway.state) as archive:
            starts = [
                event.at for event in archive.events(service="step", limit=10_000) if event.kind == "start"
            ]
    early = [took for at, took in told["took"] if at < STEP]
    later = [took for at, took in told["took"] if at >= STEP]
    shares = sorted(told["served"].values())
    what = f"step 0 to {rate}/s, 8 at a time, 1 s start: "
    return [
        Figure(what + "lost", told["lost"], "", "0"),
        Figure(what + f"p95 in the first {STEP:g} s", percentile(early, 0.95), "s"),
        Figure(what + "p95 afterwards", percentile(later, 0.95), "s"),
        Figure(what + "instances started", len(starts), ""),
        Figure(what + "from the first start to the last", max(starts) - min(starts), "s"),
        Figure(what + "most in one instance at a time", told["most"], "", "8"),
        Figure(what + "least and most served, share of the most", shares[0] / shares[-1], ""),
    ]


def _rule() -> list[Figure]:
    """How long after the duration is full an instance is started."""
    out = {"metric": "concurrency", "threshold": 2, "duration": f"{RULE:g}s", "action": "add_instance(1)"}
    policy = {"max_instances": 2, "scale_out": out}
    with folder() as home, running(home, {"step": _service(scale_policy=policy)}) as gateway:
        _visit(gateway, 2, 20.0)  # awake, and far below the threshold for longer than is averaged
        begun = time.time()
        _visit(gateway, 200, 3 * RULE + 3)
        with read_only(gateway.state) as archive:
            events = archive.events(service="step", limit=10_000)
        second = [event.at for event in events if event.kind == "start" and event.instance == "step-2"]
    waited = second[0] - begun - RULE if second else float("nan")
    name = f"threshold crossed for {RULE:g} s until the start, averaging included, beyond these {RULE:g} s"
    return [Figure(name, waited, "s")]


def _visit(gateway: Running, rate: float, seconds: float) -> dict[str, Any]:
    words = [
        sys.executable,
        "-m",
        "bench.step",
        "visit",
        gateway.url.rpartition(":")[2],
        str(rate),
        str(seconds),
    ]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- the visitors -----------------------------------------------------------------------------------


async def _visitors(port: int, rate: float, seconds: float) -> None:
    took: list[tuple[float, float]] = []
    served: Counter[str] = Counter()
    most = lost = 0

    async def one(at: float) -> None:
        nonlocal most, lost
        begun = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nhost: step\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            head, _, body = (await asyncio.wait_for(reader.read(65536), 60)).partition(b"\r\n\r\n")
            writer.close()
        except (OSError, TimeoutError):
            lost += 1
            return
        took.append((at, time.monotonic() - begun))
        if b" 200 " not in head[:16]:
            lost += 1
            return
        instance, peak = body.decode().split()
        served[instance] += 1
        most = max(most, int(peak))

    begun = time.monotonic()
    visits = []
    for number in range(int(rate * seconds)):
        at = number / rate
        await asyncio.sleep(max(0.0, begun + at - time.monotonic()))
        visits.append(asyncio.create_task(one(at)))
    await asyncio.gather(*visits)
    print(json.dumps({"took": took, "served": served, "most": most, "lost": lost}))


# --- the service ------------------------------------------------------------------------------------


async def _serve(port: int, startup: float, work: float) -> None:
    """Answers with its port and the most requests it ever had at a time."""
    now = most = 0

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if b" /ready " not in head:
                    now += 1
                    most = max(most, now)
                    await asyncio.sleep(work)
                    now -= 1
                body = f"{port} {most}".encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    await asyncio.sleep(startup)
    async with await asyncio.start_server(visit, "127.0.0.1", port, backlog=2000) as server:
        await server.serve_forever()


if __name__ == "__main__":
    what, listen, first, second = sys.argv[1:]
    act = _serve if what == "serve" else _visitors
    asyncio.run(act(int(listen), float(first), float(second)))
