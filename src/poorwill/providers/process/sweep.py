"""Find and end an instance's processes, without ever signalling somebody else's."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from poorwill import clock
from poorwill.errors import Temporary
from poorwill.host.table import MARK, Identity, Seen, Table, is_alive
from poorwill.providers.process.spawn import WRAPPER_MARK

KILL_PATIENCE = 5.0
"""Seconds for which the kernel may take to end what got SIGKILL, before we call it stuck."""


SECOND_LOOK = 0.005
"""Seconds between two looks of which both must find nothing."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A living process that carries the mark of ``instance``; ``port`` is what it was told to use."""

    seen: Seen
    instance: str
    is_wrapper: bool
    port: int | None


@dataclass(frozen=True, slots=True)
class Swept:
    """How many processes were found, and those that are still there."""

    found: int
    left: tuple[Seen, ...]


def marked(table: Table, prefix: str) -> Iterator[Marked]:
    """Every process whose mark starts with ``prefix`` (``gateway/service/``). Looks at all of the host."""
    for seen in table.everyone():
        variables = table.variables(seen.pid)
        mark = variables.get(MARK, "")
        if mark.startswith(prefix):
            port = variables.get("PORT", "")
            yield Marked(
                seen=seen,
                instance=mark.removeprefix(prefix),
                is_wrapper=WRAPPER_MARK in variables and seen.session == seen.pid,
                port=int(port) if port.isdecimal() else None,
            )


def members(table: Table, mark: str, session: int | None) -> list[Seen]:
    """The instance's processes: those that carry its mark, and those of its session.

    Both, because a program may overwrite its environment (to set its title) or leave its session.
    ``session`` must be known to be the instance's own: None where it may have come to mean another.
    """
    return [
        seen
        for seen in table.everyone()
        if seen.session == session or table.variables(seen.pid).get(MARK) == mark
    ]


def await_mark(table: Table, pid: int) -> None:
    """Return once a new child can be found by its mark, or is gone; the kernel shows it a moment late."""
    give_up_at = clock.now().mono + 1
    while table.look(pid) and MARK not in table.variables(pid) and clock.now().mono < give_up_at:
        time.sleep(0.0005)


def _all_members(table: Table, mark: str, session: int | None) -> list[Seen]:
    """None only when two looks found none.

    A single look misses a process that is just replacing its program (its environment is empty for a
    moment), and one whose parent forked and ended while the table was being read.
    """
    found = members(table, mark, session)
    if not found:
        time.sleep(SECOND_LOOK)
        found = members(table, mark, session)
    return found


def has_launched(table: Table, wrapper: Identity) -> bool:
    """Whether the wrapper's command runs, or the wrapper is gone.

    A signal before that may be taken by the shell and never reach the command.
    """
    if not is_alive(table, wrapper):
        return True
    return any(
        seen.session == wrapper.pid
        and seen.pid != wrapper.pid
        and WRAPPER_MARK not in table.variables(seen.pid)
        for seen in table.everyone()
    )


def signal_group(table: Table, wrapper: Identity, number: signal.Signals) -> None:
    """Signal the wrapper's process group; does nothing when this very wrapper is gone.

    Raises ``Temporary`` when the group may not be signalled.
    """
    if not is_alive(table, wrapper):
        return
    try:
        os.killpg(wrapper.pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Temporary(
            f"process group {wrapper.pid} may not be signalled",
            hint="its processes belong to another user: run Poorwill as that user",
        ) from error


async def sweep(table: Table, mark: str, session: int | None, patience: float) -> Swept:
    """End what is left of an instance whose wrapper is gone.

    Processes outside the session have had no SIGTERM yet: they get it first, if there is ``patience``
    (seconds) at all. Then SIGKILL, again and again, since a process may fork while it is being killed.
    """
    left = await asyncio.to_thread(_all_members, table, mark, session)
    found = len(left)
    now = clock.now().mono
    kill_at, give_up_at = now + patience, now + patience + KILL_PATIENCE
    if patience > 0:
        for seen in left:
            if seen.session != session:
                send(table, seen, signal.SIGTERM)
    pause = 0.01
    while left and clock.now().mono < give_up_at:
        if clock.now().mono >= kill_at:
            for seen in left:
                send(table, seen, signal.SIGKILL)
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.2)
        left = await asyncio.to_thread(_all_members, table, mark, session)
    return Swept(found=found, left=tuple(left))


def send(table: Table, seen: Seen, number: signal.Signals) -> None:
    """Signal exactly this process. One that may not be signalled is seen again by the caller."""
    try:
        descriptor = os.pidfd_open(seen.pid) if hasattr(os, "pidfd_open") else None
    except OSError:
        descriptor = None
    try:
        again = table.look(seen.pid)
        if again is None or again.start != seen.start:
            return
        if descriptor is None:
            os.kill(seen.pid, number)
        else:
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        if descriptor is not None:
            os.close(descriptor)
