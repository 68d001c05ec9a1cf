"""The provider of local processes: each instance is a wrapper, the command below it, and all it starts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.host.table import Identity, is_alive, this_host
from poorwill.host.usage import cpu_seconds, memory_bytes
from poorwill.host.watch import watch
from poorwill.providers.base import Handle, Json, Sighting, Surroundings
from poorwill.providers.process import ending, launch, log, options, spawn, sweep
from poorwill.providers.process.running import Running, from_handle

T = TypeVar("T")

ROTATE_EVERY = 3.0
"""Seconds between two looks at the sizes of the logs."""

LAUNCH_PATIENCE = 2.0
"""Seconds for which a stop that follows a start at once waits for the command to run."""

_STUCK = "it may hang in the kernel (a dead network disk, a stuck driver) or belong to another user"


class ProcessProvider:
    """One service's processes on this host. See ``providers.base`` for the laws.

    ``_running`` holds the instances whose processes are not all known to be gone, ``_ended`` how the
    last life of the others ended.
    """

    Options: ClassVar[type[BaseModel]] = options.Options
    settle = 0.0
    stale_after = 30.0

    def __init__(self, options: options.Options, around: Surroundings) -> None:
        self._options = options
        self._around = around
        self._table = this_host()
        self._running: dict[str, Running] = {}
        self._ended: dict[str, Sighting] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._rotate_at = 0.0
        self._log_note = ""
        self._closed = False

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        """Take over by handle, then by mark: a child may live whose handle was never journalled.

        What carries our mark but has lost its wrapper is ended: its exit could not be told any more.
        """
        for handle in known.values():
            await self._adopt_handle(handle)
        for instance in await self._adopt_marked() - self._running.keys():
            await self._clear(instance)

    async def prepare(self, instance: str) -> Mapping[str, Json]:
        """Choose a free port, when the options ask for one."""
        return {"port": launch.free_port()} if self._options.gives_address else {}

    async def start(self, instance: str, prepared: Mapping[str, Json]) -> Handle:
        """A caller that gives up half-way does not lose the child: it is watched all the same."""
        return await asyncio.shield(self._keep(self._start(instance, prepared)))

    async def stop(self, instance: str) -> None:
        """Returns when every process of the instance is gone, else raises ``Temporary``."""
        async with self._lock(instance):
            running = self._running.get(instance)
            if running is None:
                await self._clear(instance)
                return
            limit = self._options.stop_timeout
            running.kill_at = clock.now().mono + limit
            await self._look_again(running)
            await self._launched(running)
            await self._signal(running, SIGTERM)
            await self._signal(running, SIGCONT)  # a paused process takes its SIGTERM only then
            if await running.is_gone_within(limit):
                return
            running.forced = running.finishing is None
            await self._signal(running, SIGKILL)
            if not await running.is_gone_within(sweep.KILL_PATIENCE + 1):
                pid = running.identity.pid
                raise Temporary(running.trouble or f"process {pid} is still there after SIGKILL", hint=_STUCK)

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        return await asyncio.to_thread(log.tail, self._file(instance, "log"), lines)

    async def cpu_seconds(self, instance: str) -> float:
        """Of everything that carries its mark or is of its session."""
        return await asyncio.to_thread(cpu_seconds, await self.process_ids(instance))

    async def memory_bytes(self, instance: str) -> float:
        return await asyncio.to_thread(memory_bytes, await self.process_ids(instance))

    async def process_ids(self, instance: str) -> frozenset[int]:
        running = self._running.get(instance)
        if running is None:
            raise Temporary(f"{instance} does not run")
        session, mark = running.identity.pid, self._mark(instance)
        found = await asyncio.to_thread(sweep.members, self._table, mark, session)
        return frozenset(seen.pid for seen in found)

    async def close(self) -> None:
        """Finish what was begun, then stop watching; children live on."""
        self._closed = True
        for running in self._running.values():
            if running.watch is not None:
                running.watch.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def list(self) -> list[Sighting]:
        """Verify the known instances; nothing else of the host is looked at."""
        for running in tuple(self._running.values()):
            await self._look_again(running)
        await self._rotate_logs()
        here = [running.sighting(self._log_note) for running in self._running.values()]
        return here + [end for instance, end in self._ended.items() if instance not in self._running]

    # --- taking over ----------------------------------------------------------------------------

    async def _adopt_handle(self, handle: Handle) -> None:
        running = from_handle(handle, self._table)
        if running is None or handle.instance in self._running:
            return
        identity = running.identity
        if await asyncio.to_thread(is_alive, self._table, identity):
            self._follow(running)
            return
        file = self._file(handle.instance, "exit")
        running.code = await asyncio.to_thread(ending.exit_code, file, identity.pid)
        running.ended_at = await asyncio.to_thread(ending.ended_at, file, identity.pid)
        end = running.epitaph(0, 0)
        if identity.boot != clock.boot_id():
            end = Sighting(handle.instance, Condition.ABSENT, identity.life, detail="the host was restarted")
        self._ended[handle.instance] = end

    async def _adopt_marked(self, only: str = "") -> set[str]:
        """Follow every wrapper that carries our mark; returns the instances of all that carries it.

        With ``only`` no other instance is touched: it may be coming or going this very moment.
        """
        prefix = self._mark("")
        everything = await asyncio.to_thread(lambda: tuple(sweep.marked(self._table, prefix)))
        everything = tuple(found for found in everything if only in ("", found.instance))
        for found in everything:
            if not found.is_wrapper:
                continue
            identity = Identity(clock.boot_id(), found.seen.pid, found.seen.start)
            running = self._running.get(found.instance)
            if running is None:
                self._follow(Running(found.instance, identity, found.port, self._table))
            elif running.identity != identity:  # a second copy of one instance: nobody would stop it
                await asyncio.to_thread(sweep.signal_group, self._table, identity, SIGKILL)
        return {found.instance for found in everything}

    def _follow(self, running: Running) -> Handle:
        self._running[running.instance] = running
        if not self._closed:
            running.watch = watch(self._table, running.identity, lambda: self._finish(running))
        return running.handle

    # --- starting -------------------------------------------------------------------------------

    async def _start(self, instance: str, prepared: Mapping[str, Json]) -> Handle:
        async with self._lock(instance):
            if running := await self._living(instance):
                return running.handle
            port = prepared.get("port")
            if port is None and self._options.gives_address:
                raise Permanent("no port was prepared for {port}", hint="prepare the start first")
            await launch.refuse_taken(self._around.address)
            identity = await asyncio.to_thread(self._spawn, instance, port)
            self._ended.pop(instance, None)
            return self._follow(Running(instance, identity, port, self._table))

    async def _living(self, instance: str) -> Running | None:
        """The instance if it lives, known or not; first clears away what is left of a life that ended."""
        if running := self._running.get(instance):
            await self._look_again(running)
            if running.finishing is None:
                return running
            if not await running.is_gone_within(sweep.KILL_PATIENCE + 1):
                raise Temporary(running.trouble or f"{instance} is still ending", hint=_STUCK)
        if await self._adopt_marked(instance) and instance not in self._running:
            await self._clear(instance)
        return self._running.get(instance)

    def _spawn(self, instance: str, port: int | None) -> Identity:
        plan = launch.plan(self._options, self._around.base, self._mark(instance), port)
        spawn.ensure_folder(self._around.folder)
        title = f"start of {instance}" + (f" on port {port}" if port is not None else "")
        pid = spawn.spawn(plan, self._file(instance, "log"), self._file(instance, "exit"), title)
        sweep.await_mark(self._table, pid)
        # A child that is not reaped keeps its PID and start time; 0 (a host that reaps by itself) is gone.
        return Identity(clock.boot_id(), pid, self._table.started(pid) or 0)

    # --- ending ---------------------------------------------------------------------------------

    async def _look_again(self, running: Running) -> None:
        """Catch an end that no event told of, and try again where clearing up did not work."""
        if running.gone.is_set():
            return  # while somebody looked at another instance; its mark may be that of a new life
        if running.finishing is None:
            if not await asyncio.to_thread(is_alive, self._table, running.identity):
                self._finish(running)
        elif running.finishing.done():
            running.finishing = self._keep(self._end(running))

    def _finish(self, running: Running) -> None:
        if running.finishing is None:
            running.finishing = self._keep(self._end(running))

    async def _end(self, running: Running) -> None:
        """The wrapper is gone: learn how it ended and end what it left behind, whatever that takes."""
        pid = running.identity.pid
        patience = max(0.0, (running.kill_at or 0.0) - clock.now().mono)
        try:
            if running.code is None:
                file = self._file(running.instance, "exit")
                running.code = await asyncio.to_thread(ending.exit_code, file, pid)
                running.ended_at = await asyncio.to_thread(ending.ended_at, file, pid)
            swept = await sweep.sweep(self._table, self._mark(running.instance), pid, patience)
        except OSError as error:
            running.trouble = f"cannot clear up after it: {error}"
        else:
            if swept.left:
                running.trouble = f"process {swept.left[0].pid} is still there after SIGKILL"
            else:
                self._ended[running.instance] = running.epitaph(swept.found, self._options.stop_timeout)
                del self._running[running.instance]
                if who := running.told_to_end():
                    self._around.note(who)
                if running.watch is not None:
                    running.watch.close()
                running.gone.set()
        self._around.changed()

    async def _clear(self, instance: str) -> None:
        """End the processes of an instance that has no wrapper; there are hardly ever any."""
        swept = await sweep.sweep(self._table, self._mark(instance), None, self._options.stop_timeout)
        if swept.left:
            raise Temporary(f"process {swept.left[0].pid} is still there after SIGKILL", hint=_STUCK)

    async def _launched(self, running: Running) -> None:
        """Wait until a signal reaches the command: milliseconds after a start."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAUNCH_PATIENCE):
                while not await asyncio.to_thread(sweep.has_launched, self._table, running.identity):
                    await asyncio.sleep(0.002)

    async def _signal(self, running: Running, number: Signals) -> None:
        await asyncio.to_thread(sweep.signal_group, self._table, running.identity, number)

    # --- the rest -------------------------------------------------------------------------------

    async def _rotate_logs(self) -> None:
        if clock.now().mono < self._rotate_at:
            return
        self._rotate_at = clock.now().mono + ROTATE_EVERY
        limits = self._options.log
        self._log_note = ""
        for instance in tuple(self._running):
            file = self._file(instance, "log")
            try:
                await asyncio.to_thread(log.rotate, file, limits.max_size, limits.keep)
            except OSError as error:  # no reason to call the instance's state unknown
                self._log_note = f"its log cannot be rotated: {error}"

    def _keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that outlives its caller's patience; ``close`` waits for it."""
        # Not in the TaskGroup of app.py, which a failure would end: this concerns one instance only.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _lock(self, instance: str) -> asyncio.Lock:
        return self._locks.setdefault(instance, asyncio.Lock())

    def _mark(self, instance: str) -> str:
        return f"{self._around.gateway}/{self._around.service}/{instance}"

    def _file(self, instance: str, kind: str) -> Path:
        return self._around.folder / f"{instance}.{kind}"
