"""What processes of this host use."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time used so far by these and, where the system counts that, by children they waited for."""
    return sum(_cpu_seconds(pid) for pid in pids)


def _cpu_seconds(pid: int) -> float:
    try:
        return sum(psutil.Process(pid).cpu_times()[:4])
    except psutil.Error:
        return 0.0  # it has ended; its parent's children's time holds what it used


def memory_bytes(pids: Iterable[int]) -> float:
    """Resident memory of these together; what they share counts for each."""
    return sum(_memory_bytes(pid) for pid in pids)


def _memory_bytes(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0.0  # it has ended
