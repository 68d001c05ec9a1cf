"""How much the GPUs are used: by the processes of a service where that can be told, else by anybody.

``nvidia-smi`` is asked, here or on the service's machine: it comes with the driver, so where there is a GPU
there is nothing to install.
"""

from __future__ import annotations

import re

from poorwill.errors import Temporary
from poorwill.providers.base import Shell

_CARDS = "nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits"
_PROCESSES = "nvidia-smi pmon -s u -c {seconds}"
_MEMORY = "nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits"
_HOLDERS = "nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory --format=csv,noheader,nounits"
_MISSING = "nvidia-smi was not found there: install the NVIDIA driver, or use http, command or cpu"
_NUMBER = r"\s*\d+(\.\d+)?\s*"
_MIB = 1024 * 1024


async def gpu_use(
    shell: Shell, pids: frozenset[int] | None, measured: float, timeout: float
) -> tuple[float, str]:
    """Per cent of the busiest card, and whose use that is. Raises ``Temporary`` when nobody can tell.

    The highest of several readings within ``measured`` seconds: between two batches a card rests.
    """
    seconds = max(1, round(measured))
    if pids is not None:
        told = await _said(shell, _PROCESSES.format(seconds=seconds), timeout + seconds)
        use = None if told is None else of_processes(told, pids)
        if use is not None:
            return use, "GPU"
    loop = f"n=0; while [ $n -lt {2 * seconds} ]; do {_CARDS} || exit; n=$((n+1)); sleep 0.3; done"
    told = await _said(shell, loop, timeout + seconds)
    if told is None:
        raise Temporary("nvidia-smi cannot tell how much the GPU is used", hint=_MISSING)
    readings = [float(line) for line in told.splitlines() if re.fullmatch(_NUMBER, line)]
    if not readings:
        raise Temporary("nvidia-smi does not say how much the GPU is used (some virtual GPUs never do)")
    return max(readings), "GPU (whole card)"


def of_processes(told: str, pids: frozenset[int]) -> float | None:
    """The use by these processes, from ``nvidia-smi pmon``; None when it shows none of them.

    A column of its header names each value (``# gpu pid type sm mem …``); "-" is no use.
    """
    columns: list[str] = []
    seen = False
    rounds: dict[tuple[str, int], float] = {}
    counts: dict[tuple[str, str], int] = {}
    for line in told.splitlines():
        words = line.split()
        if line.startswith("#"):
            columns = words[1:] if "pid" in words else columns
            continue
        row = dict(zip(columns, words, strict=False))
        if not row.get("pid", "").isdecimal() or int(row["pid"]) not in pids:
            continue
        seen = True
        process = (row["gpu"], row["pid"])
        counts[process] = counts.get(process, 0) + 1
        moment = (row["gpu"], counts[process])
        rounds[moment] = rounds.get(moment, 0.0) + (
            float(row["sm"]) if row.get("sm", "-").isdecimal() else 0.0
        )
    return max(rounds.values()) if seen else None


async def gpu_memory(shell: Shell, pids: frozenset[int] | None, timeout: float) -> tuple[float, str]:
    """Bytes used of the fullest card, and by whom. Raises ``Temporary`` when nobody can tell."""
    if pids is not None:
        told = await _said(shell, _HOLDERS, timeout)
        used = None if told is None else held_by(told, pids)
        if used is not None:
            return used, "GPU memory"
    told = await _said(shell, _MEMORY, timeout)
    if told is None:
        raise Temporary("nvidia-smi cannot tell how much GPU memory is used", hint=_MISSING)
    cards = [float(line) for line in told.splitlines() if re.fullmatch(_NUMBER, line)]
    if not cards:
        raise Temporary("nvidia-smi does not say how much GPU memory is used")
    return max(cards) * _MIB, "GPU memory (whole card)"


def held_by(told: str, pids: frozenset[int]) -> float | None:
    """Bytes of the card of which these processes hold most, from lines of card, pid and MiB; None when it
    shows none of them, or not how much they hold (``[N/A]``: in containers and on Windows).
    """
    cards: dict[str, float] = {}
    for line in told.splitlines():
        card, _, rest = line.partition(",")
        pid, _, used = rest.partition(",")
        if pid.strip().isdecimal() and int(pid) in pids and re.fullmatch(_NUMBER, used):
            cards[card] = cards.get(card, 0.0) + float(used) * _MIB
    return max(cards.values()) if cards else None


async def _said(shell: Shell, line: str, timeout: float) -> str | None:
    ran = await shell.run(line, timeout=timeout)
    if ran.code == 127:
        raise Temporary("there is no nvidia-smi where the service runs", hint=_MISSING)
    return ran.output if ran.code == 0 else None
