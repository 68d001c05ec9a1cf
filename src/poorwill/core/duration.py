"""Durations in words: the one way in which reasons, schedules and configuration write them."""

from __future__ import annotations

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


def duration_text(seconds: float) -> str:
    """The shortest text that the configuration reads back as exactly these seconds, such as ``10m``."""
    for unit, size in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
