"""Which processes exist, and which process is which: PIDs are reused, so a PID alone names nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from poorwill import clock
from poorwill.clock import boot_id

MARK = "POORWILL_INSTANCE"
"""Names the variable by which processes of ours are found again: ``GATEWAY/SERVICE/INSTANCE``."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for all time: the host's boot, the PID, and when it started.

    ``start`` is a number that stays the same for the process's whole life (Linux: clock ticks since
    boot; elsewhere milliseconds since the epoch). It is only ever compared for equality.
    """

    boot: str
    pid: int
    start: int

    @property
    def life(self) -> str:
        return f"{self.boot}:{self.pid}:{self.start}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A living process. ``session`` is the PID of its session's leader."""

    pid: int
    start: int
    session: int


class Table(Protocol):
    """The host's processes. Zombies are dead and never reported."""

    def look(self, pid: int) -> Seen | None: ...

    def started(self, pid: int) -> int | None:
        """When the process started (see ``Identity``), even when it is a zombie by now."""

    def since(self, start: int) -> float:
        """When a start (see ``Identity``) of this boot was, in seconds since the epoch by today's clock."""

    def everyone(self) -> Iterator[Seen]: ...

    def variables(self, pid: int) -> Mapping[str, str]:
        """The environment the process was started with; empty when it cannot be read."""


class LinuxTable:
    """Reads ``/proc`` itself: psutil derives start times from the wall clock, which can be set."""

    def look(self, pid: int) -> Seen | None:
        fields = _stat(pid)
        if not fields or fields[0] in (b"Z", b"X"):
            return None
        return Seen(pid=pid, start=int(fields[19]), session=int(fields[3]))

    def started(self, pid: int) -> int | None:
        fields = _stat(pid)
        return int(fields[19]) if fields else None

    def since(self, start: int) -> float:
        now = clock.now()
        return now.wall - (now.mono - start / os.sysconf("SC_CLK_TCK"))

    def everyone(self) -> Iterator[Seen]:
        for name in os.listdir("/proc"):
            if name.isdecimal() and (seen := self.look(int(name))):
                yield seen

    def variables(self, pid: int) -> Mapping[str, str]:
        try:
            block = Path(f"/proc/{pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return {}
        if MARK.encode() not in block:
            return {}
        pairs = (os.fsdecode(entry).partition("=") for entry in block.split(b"\0"))
        return {name: value for name, _, value in pairs if name}


def _stat(pid: int) -> list[bytes]:
    """``/proc/PID/stat`` from its third field on (state, parent, ...); empty when there is no such PID."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
    # The name, in parentheses, may hold anything; fields are counted after the last one (proc(5)).
    return stat[stat.rindex(b")") + 2 :].split()


class PsutilTable:
    """For hosts without ``/proc``."""

    def look(self, pid: int) -> Seen | None:
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Seen(pid=pid, start=round(process.create_time() * 1000), session=os.getsid(pid))
        except (psutil.Error, ProcessLookupError, PermissionError):
            return None

    def started(self, pid: int) -> int | None:
        try:
            return round(psutil.Process(pid).create_time() * 1000)
        except psutil.Error:
            return None

    def since(self, start: int) -> float:
        return start / 1000

    def everyone(self) -> Iterator[Seen]:
        for pid in psutil.pids():
            if seen := self.look(pid):
                yield seen

    def variables(self, pid: int) -> Mapping[str, str]:
        try:
            return psutil.Process(pid).environ()
        except (psutil.Error, OSError):
            return {}


def this_host() -> Table:
    """The table that works here, chosen by what the host has."""
    return LinuxTable() if Path("/proc/self/stat").exists() else PsutilTable()


def is_alive(table: Table, identity: Identity) -> bool:
    """Whether this very process lives, and not merely one with its PID."""
    if identity.boot != boot_id():
        return False
    seen = table.look(identity.pid)
    return seen is not None and seen.start == identity.start
