"""How an instance ended: only a parent gets an exit code, so a wrapper writes it down as well."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

_LINE = re.compile(r"(\d+) (\d+)\n")

_EXPLAINED = {
    126: ": the command could not be executed (permission, or built for another machine)",
    127: ": the command, or the interpreter named in its first line, was not found",
}


def exit_code(file: Path, pid: int) -> int | None:
    """The exit code of the dead wrapper ``pid`` as a shell counts (128 + n for signal n).

    Reaps the wrapper when it was our child. None when nobody knows: it was killed before it could
    write, and had another parent.
    """
    reaped = _reap(pid)
    written = _written(file, pid)
    return reaped if written is None else written


def ended_at(file: Path, pid: int) -> float | None:
    """When the wrapper ``pid`` wrote that down, in seconds since the epoch; None when it did not."""
    try:
        return file.stat().st_mtime if _written(file, pid) is not None else None
    except FileNotFoundError:
        return None


def describe(code: int | None) -> str:
    """``exit code 3`` or ``killed by signal 9 (SIGKILL)``."""
    if code is None:
        return "ended, exit code unknown (its wrapper was killed)"
    if code > 128:
        try:
            number = signal.Signals(code - 128)
        except ValueError:
            return f"exit code {code}"
        return f"killed by signal {number.value} ({number.name})"
    return f"exit code {code}{_EXPLAINED.get(code, '')}"


def _reap(pid: int) -> int | None:
    try:
        reaped, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    if reaped == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _written(file: Path, pid: int) -> int | None:
    """A line that is not whole, or another life's, says nothing."""
    try:
        match = _LINE.fullmatch(file.read_text())
    except FileNotFoundError:
        return None
    return int(match[1]) if match and int(match[2]) == pid else None
