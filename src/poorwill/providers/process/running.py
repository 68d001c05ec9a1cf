"""An instance whose processes are not all known to be gone, and what is said about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from signal import SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM

from poorwill.clock import boot_id
from poorwill.core.model import Condition
from poorwill.host.table import Identity, Table
from poorwill.host.watch import Watch
from poorwill.providers.base import Handle, Sighting
from poorwill.providers.process.ending import describe


@dataclass(slots=True)
class Running:
    """``identity`` is the wrapper's. ``kill_at`` (monotonic) is set once a stop was asked for.

    ``finishing`` is set once the wrapper is gone, ``gone`` when all the rest is, too. ``trouble`` is
    why the rest is not. ``ended_at`` is when the wrapper wrote down how it ended (seconds since the epoch).
    """

    instance: str
    identity: Identity
    port: int | None
    table: Table
    watch: Watch | None = None
    kill_at: float | None = None
    forced: bool = False
    finishing: asyncio.Task[None] | None = None
    code: int | None = None
    ended_at: float | None = None
    trouble: str = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def handle(self) -> Handle:
        identity = self.identity
        data = {"boot": identity.boot, "pid": identity.pid, "start": identity.start, "port": self.port}
        return Handle(self.instance, data)

    @property
    def since(self) -> float | None:
        """When it was started; None for one of an earlier boot."""
        identity = self.identity
        return self.table.since(identity.start) if identity.boot == boot_id() else None

    def sighting(self, note: str) -> Sighting:
        """What ``list`` says of it; ``note`` is a remark on one that runs."""
        if self.finishing is not None:
            condition, detail = Condition.STOPPING, self.trouble or "ended, clearing up"
        elif self.kill_at is not None:
            condition, detail = Condition.STOPPING, "asked to end"
        else:
            condition, detail = Condition.RUNNING, note
        return Sighting(
            self.instance,
            condition,
            life=self.identity.life,
            address=f"127.0.0.1:{self.port}" if self.port is not None else None,
            detail=detail,
            handle=self.handle,
            by_us=True,
            since=self.since,
        )

    def epitaph(self, left_behind: int, stop_timeout: float) -> Sighting:
        """What ``list`` says once all its processes are gone."""
        if self.kill_at is None:
            detail = describe(self.code)
            if left_behind:
                detail += f"; ended {left_behind} more processes that it left behind"
                detail += ": the command must stay in the foreground" if self.code == 0 else ""
        elif self.forced:
            detail = f"stopped: killed, for it did not end within {stop_timeout:g} s"
        else:
            detail = f"stopped: {describe(self.code)}"
        return Sighting(
            self.instance,
            Condition.ABSENT,
            life=self.identity.life,
            detail=detail,
            exit_code=self.code,
            since=self.since,
            until=self.ended_at,
        )

    def told_to_end(self) -> str:
        """Who ended it when it was neither we nor itself, as far as a signal tells; else empty."""
        if self.kill_at is not None or self.code is None:
            return ""
        if self.code == 128 + SIGKILL:
            return (
                f"{self.instance} was {describe(self.code)}: by somebody, or by the kernel for lack of memory"
            )
        if self.code - 128 in (SIGTERM, SIGINT, SIGHUP, SIGQUIT):
            return f"somebody else ended {self.instance}: {describe(self.code)}"
        return ""

    async def is_gone_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return False
        return True


def from_handle(handle: Handle, table: Table) -> Running | None:
    """None for a handle that another version wrote and that cannot be read: then only the mark helps."""
    data = handle.data
    boot, pid, start, port = (data.get(key) for key in ("boot", "pid", "start", "port"))
    if not (isinstance(boot, str) and isinstance(pid, int) and isinstance(start, int)):
        return None
    known = port if isinstance(port, int) else None
    return Running(handle.instance, Identity(boot, pid, start), known, table)
