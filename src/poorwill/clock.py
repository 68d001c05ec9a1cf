"""The one place where clocks are read."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import psutil

from poorwill.core.model import Now

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> str:
    """Names this boot of the host: the kernel's own id, elsewhere the boot time in whole seconds."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(int(psutil.boot_time()))


def now() -> Now:
    return Now(wall=time.time(), mono=time.monotonic(), boot=boot_id())
