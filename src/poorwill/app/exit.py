"""The two ways in which the program ends."""

from __future__ import annotations

from enum import StrEnum


class Exit(StrEnum):
    """How the program ends: everything put to sleep, or left running for the next start."""

    DOWN = "down"
    LEAVE = "leave"
