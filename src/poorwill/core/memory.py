"""Amounts of memory in words."""

from __future__ import annotations

GB = 10**9


def memory_text(amount: int) -> str:
    """Bytes as people write them, rounded down to a tenth: ``24GB``, ``1.5GB``, ``300MB``."""
    for unit, size in (("TB", 1000 * GB), ("GB", GB)):
        if amount >= size:
            return f"{amount * 10 // size / 10:g}{unit}"
    return f"{amount * 1000 // GB}MB"
