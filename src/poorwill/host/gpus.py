"""How much memory the GPUs of this host have."""

from __future__ import annotations

import subprocess

_COMMAND = [
    "nvidia-smi",
    "--query-gpu=index,uuid,memory.total",
    "--format=csv,noheader,nounits",
]

PATIENCE = 20.0
"""Seconds; without a program that keeps the driver awake, the first answer takes some."""


def gpu_memory() -> dict[str, int]:
    """Bytes by number and by UUID, as ``nvidia-smi`` tells; empty when there is no card, or nobody tells."""
    try:
        ran = subprocess.run(
            _COMMAND, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = {}
    for line in ran.stdout.splitlines() if ran.returncode == 0 else ():
        words = [word.strip() for word in line.split(",")]
        if len(words) == 3 and words[2].isdecimal():
            found[words[0]] = found[words[1]] = int(words[2]) * 1024 * 1024
    return found
