"""A herd: thousands of requests at once to a service that sleeps, with and without a ``concurrency``.

The herd is a process of its own that speaks plain sockets: its work is not counted with the gateway's.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench import late
from bench.figures import Figure, Running, folder, free_port, running
from poorwill.store.journal import read_only

STARTUP = 12.0
"""Seconds the service takes to start: longer than the herd takes to come."""

_REQUEST = b"POST / HTTP/1.1\r\nhost: herd\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def measure(size: int) -> list[Figure]:
    return [*_herd(size, None), *_herd(size, 8)]


def _herd(size: int, slots: int | None) -> list[Figure]:
    with folder() as home:
        port, moment = free_port(), home / "moment"
        words = [sys.executable, late.__file__, str(port), str(STARTUP), str(moment)]
        service: dict[str, Any] = {
            "run": {"process": {"command": words}},
            "address": f"127.0.0.1:{port}",
            "hold": "2m",
            "idle_after": "10m",
            "max_held": size,
            **({"concurrency": slots} if slots else {}),
        }
        with running(home, {"late": service}) as gateway:
            control, envoy = psutil.Process(gateway.pid), psutil.Process(_envoy_pid(gateway))
            before = _memory(control, envoy)
            herd = _send(gateway.url, size)
            most = before
            while herd.poll() is None:
                now = _memory(control, envoy)
                most = max(most[0], now[0]), max(most[1], now[1])
                time.sleep(0.1)
            told = json.loads(herd.communicate()[0])
            began = float(moment.read_text())
            kept = _memory(control, envoy)
            with read_only(gateway.state) as archive:
                events = archive.events(service="late", limit=1000)
            starts = sum(event.kind == "start" for event in events)
    what = f"herd of {size:,}, {f'{slots} at a time' if slots else 'all at once'}: "
    ready = max(0.0, told["last"] - began)
    return [
        Figure(what + "starts", starts, "", "1"),
        Figure(what + "answered", told["answered"], "", f"{size}"),
        Figure(what + "neither answered nor told when to come again", told["lost"], "", "0"),
        Figure(what + "until all were held", told["sent"], "s"),
        Figure(what + "from ready to the last answer", ready, "s"),
        Figure(what + "control plane at most, more than before", most[0] - before[0], "MB"),
        Figure(what + "Envoy at most, more than before", most[1] - before[1], "MB"),
        Figure(what + "control plane afterwards, more than before", kept[0] - before[0], "MB"),
    ]


def _envoy_pid(gateway: Running) -> int:
    pid: int = json.loads((gateway.state / "envoy" / "envoy.json").read_text())["envoy"][1]
    return pid


def _memory(*processes: psutil.Process) -> tuple[float, float]:
    control, envoy = (process.memory_info().rss / 1e6 for process in processes)
    return control, envoy


def _send(url: str, size: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "bench.herd", url.rpartition(":")[2], str(size)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)


# --- the herd ---------------------------------------------------------------------------------------


async def _all(port: int, size: int) -> None:
    begun = time.monotonic()
    sent = 0.0
    answers: list[tuple[int, bool]] = []
    last = 0.0
    asked = 0

    async def one() -> None:
        nonlocal asked, sent, last
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_REQUEST)
        asked += 1
        if asked == size:
            sent = time.monotonic() - begun
        head = await reader.read(65536)
        last = time.monotonic()
        status = int(head[9:12]) if head[:5] == b"HTTP/" else 0
        answers.append((status, b"retry-after:" in head.lower()))
        writer.close()

    await asyncio.gather(*(one() for _ in range(size)))
    answered = sum(status == 200 for status, _ in answers)
    lost = sum(status != 200 and not later for status, later in answers)
    print(json.dumps({"sent": sent, "last": last, "answered": answered, "lost": lost}))


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_all(int(sys.argv[1]), int(sys.argv[2])))
