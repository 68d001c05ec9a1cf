"""A little room kept on the disk, for files that must be written when it is full."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

SIZE = 1024 * 1024

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    """One file of ``size`` bytes that is given up when somebody finds the disk full."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size
        self._kept = False

    def keep(self) -> None:
        """Set the room aside, if there is any."""
        if self._kept:
            return
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, self._size)
            finally:
                os.close(file)
            self._kept = True
        except OSError:
            self._give_up()  # there is none: whoever needs it will say so

    def release(self, error: OSError) -> bool:
        """Whether there is more room than there was when this error was raised."""
        if error.errno not in _FULL or not self._path.exists():  # an earlier life may have set it aside
            return False
        self._give_up()
        return True

    def _give_up(self) -> None:
        self._kept = False
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
