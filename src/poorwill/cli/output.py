"""Writing for people from a program that must not end because nobody reads."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO


class Patient:
    """A text stream that loses what cannot be written: a closed pipe, a full disk, a terminal gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def say(text: str) -> None:
    """One line on standard output, if anybody reads it."""
    out = Patient(sys.stdout)
    out.write(text + "\n")
    out.flush()
