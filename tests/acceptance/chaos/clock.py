"""A wall clock of their own for the programs under test, which can be set without touching the machine's."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """``variables`` go into the environment of whoever shall live by it."""

    def __init__(self, folder: Path) -> None:
        library, self._offset = folder / "clock.so", folder / "clock.offset"
        self.set(0)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, _SOURCE], check=True)
        self.variables = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(self._offset)}

    def set(self, seconds: int) -> None:
        """How far it is ahead of the machine's."""
        if not self._offset.exists():
            self._offset.write_bytes(bytes(8))
        with self._offset.open("r+b") as file:
            file.write(struct.pack("q", seconds))


def can_be_set() -> bool:
    """Whether this host loads libraries before others, and has a compiler to make one."""
    return sys.platform == "linux" and shutil.which("cc") is not None
