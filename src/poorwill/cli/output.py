"""Writing for people from a program that must not end because nobody reads."""

from __future__ import annotations

import sys
from typing import TextIO


class Patient:
    """A text stream that loses what cannot be written: a closed pipe, a full disk, a terminal gone.

    ``lost`` counts the writes that failed since the last that worked.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            self.lost += 1
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self.lost += 1
        else:
            self.lost = 0

    def isatty(self) -> bool:
        return self._stream.isatty()


def say(text: str) -> None:
    """One line on standard output, if anybody reads it."""
    out = Patient(sys.stdout)
    out.write(text + "\n")
    out.flush()
