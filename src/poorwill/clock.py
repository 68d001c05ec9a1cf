"""The one place where clocks are read."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import psutil

from poorwill.core.model import Now

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""What runs elsewhere is billed while this host is suspended. Linux' CLOCK_MONOTONIC, and with it
``time.monotonic`` and the event loop's own time, stand still meanwhile; that of macOS and BSD goes on.
"""


@cache
def boot_id() -> str:
    """Names this boot of the host: the kernel's own id, elsewhere the boot time in whole seconds."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(int(psutil.boot_time()))


def now() -> Now:
    return Now(wall=time.time(), mono=time.clock_gettime(_STEADY), boot=boot_id())
