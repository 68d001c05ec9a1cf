"""An instance's output: the child itself writes to the file; it is rotated by copy and truncate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from poorwill import clock

_BLOCK = 64 * 1024
_LONGEST_TAIL = 4 * 1024 * 1024


def opened(file: Path) -> BinaryIO:
    """For appending, unbuffered, private to this user. Appending is what makes truncation safe."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return open(descriptor, "ab", buffering=0)


def separate(output: BinaryIO, title: str) -> None:
    """Write a line with the time, so that one life's output can be told from the next."""
    at = datetime.fromtimestamp(clock.now().wall, UTC).astimezone().isoformat(timespec="seconds")
    output.write(f"--- {at} {title} ---\n".encode())


def rotate(file: Path, max_size: int, keep: int) -> bool:
    """Move the content aside when there is more than ``max_size`` bytes; True when it was done.

    Kept are the last ``max_size`` bytes and, up to as many again, what the child adds meanwhile. What it
    writes between the end of the copy and the truncation is lost. Raises ``OSError`` when the copy cannot
    be written; the log is truncated all the same, for the likeliest cause is a full disk.
    """
    try:
        log = file.open("r+b")
    except FileNotFoundError:
        return False
    with log:
        size = log.seek(0, os.SEEK_END)
        if size <= max_size:
            return False
        try:
            if keep:
                _shift(file, keep)
                log.seek(size - max_size)
                with open(_older(file, 1), "xb", opener=_private) as copy:
                    _copy(log, copy, 2 * max_size)
        finally:
            log.truncate(0)
    return True


def tail(file: Path, lines: int) -> list[str]:
    """The last lines, oldest first, read from the end; goes on in older logs when this one is short."""
    wanted = max(lines, 0)
    found: list[str] = []
    number = 0
    while len(found) < wanted:
        current = _older(file, number) if number else file
        try:
            found = _tail_of(current, wanted - len(found)) + found
        except FileNotFoundError:
            if number:
                break
        number += 1
    return found


def _tail_of(file: Path, lines: int) -> list[str]:
    with file.open("rb") as log:
        content = b""
        for block in _blocks_backwards(log):
            content = block + content
            # one more than asked for: the first of them may be the end of a cut line
            if content.count(b"\n") > lines or len(content) >= _LONGEST_TAIL:
                break
    return content.decode(errors="replace").splitlines()[-lines:]


def _blocks_backwards(log: BinaryIO) -> Iterator[bytes]:
    end = log.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        log.seek(start)
        yield log.read(end - start)
        end = start


def _copy(log: BinaryIO, copy: BinaryIO, limit: int) -> None:
    """Up to ``limit`` bytes: a child may write faster than we read."""
    while limit > 0 and (block := log.read(min(_BLOCK, limit))):
        copy.write(block)
        limit -= len(block)


def _shift(file: Path, keep: int) -> None:
    _older(file, keep).unlink(missing_ok=True)
    for number in range(keep - 1, 0, -1):
        if _older(file, number).exists():
            _older(file, number).rename(_older(file, number + 1))


def _older(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
