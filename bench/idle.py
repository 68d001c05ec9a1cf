"""What ten sleeping services cost: memory and CPU of the control plane and of Envoy."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Figure, folder, running

SETTLE = 3.0


def ten() -> dict[str, Any]:
    """Ten services that nobody asks for."""
    command = ["python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
    return {
        f"s{number}": {"hosts": [f"s{number}.localhost"], "run": {"process": {"command": command}}}
        for number in range(10)
    }


def measure(seconds: float) -> list[Figure]:
    with folder() as home:
        with running(home, ten()):  # makes the journal: its migrations run in the first start only
            pass
        with running(home, ten()) as gateway:
            control = psutil.Process(gateway.pid)
            envoy = psutil.Process(_envoy_pid(gateway.state))
            time.sleep(SETTLE)
            before = _cpu(control), _cpu(envoy)
            time.sleep(seconds)
            after = _cpu(control), _cpu(envoy)
            memory = [process.memory_info().rss / 1e6 for process in (control, envoy)]
    shares = [100 * (b - a) / seconds for a, b in zip(before, after, strict=True)]
    return [
        Figure("control plane, ten services asleep: memory", memory[0], "MB", "aim 100"),
        Figure("Envoy, ten services asleep: memory", memory[1], "MB", "aim 80"),
        Figure("control plane, ten services asleep: CPU", shares[0], "% of a core", "aim 0.5 together"),
        Figure("Envoy, ten services asleep: CPU", shares[1], "% of a core"),
    ]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _envoy_pid(state: Path) -> int:
    pid: int = json.loads((state / "envoy" / "envoy.json").read_text())["envoy"][1]
    return pid
