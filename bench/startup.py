"""How long ``poorwill up`` takes to serve, and ``poorwill --help`` to print."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.figures import Figure, folder, running
from bench.idle import ten

PYTHON_ONLY = [sys.executable, "-c", "pass"]
HELP = [sys.executable, "-m", "poorwill", "--help"]


def measure(starts: int) -> list[Figure]:
    first, again = [], []
    for _ in range(starts):
        with folder() as home:
            with running(home, ten()) as gateway:
                first.append(gateway.took)
            with running(home, ten()) as gateway:
                again.append(gateway.took)
    helps, floors = [], []
    for _ in range(starts):
        helps.append(_run(HELP))
        floors.append(_run(PYTHON_ONLY))
    return [
        Figure(
            "up, first start of a state folder, to serving: median", statistics.median(first), "s", "aim 1.5"
        ),
        Figure("up, later starts, to serving: median", statistics.median(again), "s", "aim 1.5"),
        Figure("poorwill --help: median", statistics.median(helps), "s", "aim 0.3"),
        Figure("python -c pass, same runs: median", statistics.median(floors), "s"),
    ]


def _run(command: list[str]) -> float:
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun
