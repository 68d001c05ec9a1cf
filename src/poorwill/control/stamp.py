"""Moments as people and programs read them: UTC, with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

from poorwill.core.model import Now


def stamp(mono: float | None, now: Now) -> str | None:
    """A moment of the monotonic clock."""
    return None if mono is None else iso(now.wall + (mono - now.mono))


def iso(wall: float) -> str:
    """A moment in seconds since the epoch."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
