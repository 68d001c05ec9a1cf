"""A service that people's own scripts start, stop and look at, in any place that has a shell."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import uuid4

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import ProviderError, Temporary
from poorwill.providers import instances
from poorwill.providers.base import Handle, Json, Ran, Shell, Sighting, Surroundings
from poorwill.providers.shell import words
from poorwill.providers.shell.asking import Asking
from poorwill.providers.shell.lives import Life, Lives, Phase
from poorwill.providers.shell.log import Log
from poorwill.providers.shell.options import ScriptOptions
from poorwill.providers.shell.verdict import Verdict

APPEARS_WITHIN = 5.0
"""Seconds a status script may still say stopped after the start script has ended well."""

HURRY = (0.02, 0.5)
"""Shortest and longest pause, in seconds, between two looks at what was started or asked to stop."""

_CALLS = {Phase.STARTING: Condition.STARTING, Phase.STOPPING: Condition.STOPPING}


class ScriptProvider:
    """One service. See ``providers.base`` for the laws; a subclass says where its shell is.

    ``_calls`` holds the instances for which a script runs right now, ``_ends`` how lives ended.
    """

    notices: ClassVar[bool] = False
    settle = 5.0
    stale_after = 45.0

    def __init__(self, options: ScriptOptions, around: Surroundings, shell: Shell, *, here: bool) -> None:
        self._options = options
        self._around = around
        self._shell = shell
        self._here = here
        self._cwd = str((around.base / Path(options.cwd).expanduser()).absolute()) if here else options.cwd
        self._lives = Lives(around.folder)
        self._log = Log(shell, around, here=here)
        self._asking = Asking(self._status, options, around.address)
        self._known: set[str] = set()
        self._calls: dict[str, Phase] = {}
        self._ends: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.stale_after = max(self.stale_after, 2 * options.status_timeout + 10)

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        """The place tells what runs; the files tell which life it is, and the handle when they are lost."""
        for instance, handle in known.items():
            self._known.add(instance)
            if self._lives.get(instance) is None and isinstance(handle.data.get("life"), str):
                self._become(Life(handle.data["life"], Phase.RUNNING, 0.0, clock.boot_id()), instance)

    async def prepare(self, _instance: str) -> Mapping[str, Json]:
        return {}

    async def start(self, instance: str, _prepared: Mapping[str, Json]) -> Handle:
        """Run the start script, unless it runs already. What an earlier life of ours began is waited for."""
        self._known.add(instance)
        async with self._lock(instance):
            sighting = await self._look(instance)
            life = self._lives.get(instance)
            if sighting.condition is Condition.STOPPING:
                raise Temporary(f"{instance} is still stopping", hint="it is started once it has stopped")
            cut_off = life is not None and life.phase is Phase.STARTING  # and the script runs still
            if sighting.handle and not cut_off:
                return sighting.handle
            kept = life.id if life is not None and cut_off else uuid4().hex
            begun = self._become(self._life(kept, Phase.STARTING), instance)
            ran = await self._call(instance, Phase.STARTING, self._options.start, self._options.timeout)
            if ran.code != 0:
                self._turn(instance, begun, self._life(kept, Phase.GONE))
                raise await self._failure(instance, "start", ran)
            self._turn(instance, begun, self._life(kept, Phase.STARTED))
            self._hurry(instance, Phase.STARTED)
            return Handle(instance, {"life": kept})

    async def stop(self, instance: str) -> None:
        """Run the stop script, unless it is known to have stopped."""
        async with self._lock(instance):
            with suppress(ProviderError):  # when nobody can say whether it runs it is stopped all the same
                if (await self._look(instance)).condition is Condition.ABSENT:
                    return
            self._known.add(instance)
            before = self._lives.get(instance) or self._life(uuid4().hex, Phase.RUNNING)
            begun = self._become(self._life(before.id, Phase.STOPPING), instance)
            try:
                ran = await self._call(
                    instance, Phase.STOPPING, self._options.stop, self._options.stop_timeout
                )
            except BaseException:
                self._turn(instance, begun, before)
                raise
            asked = self._life(before.id, Phase.ASKED)
            self._turn(instance, begun, asked)
            if ran.code != 0:
                await self._may_have_stopped(instance, asked, before, ran)
            self._hurry(instance, Phase.ASKED)

    async def lost(self) -> None:
        """The machine went away, and every life on it; a call that is under way does not bring one back."""
        for instance in self._lives.instances():
            life = self._lives.get(instance)
            if life is not None and life.phase is not Phase.GONE:
                self._ends[instance] = "the machine it ran on went away"
                self._become(self._life(life.id, Phase.GONE), instance)
            self._asking.forget(instance)

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        return await self._log.tail(instance, lines)

    async def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._shell is not self._around.shell:  # a machine's shell serves other services as well
            await self._shell.close()

    async def list(self) -> list[Sighting]:
        """Ask about each instance that may be there."""
        known = sorted(self._possible())
        looks = (self._look(instance, patient=True) for instance in known)
        answers = await asyncio.gather(*looks, return_exceptions=True)
        found = instances.told_apart(known, answers)
        if any(sighting.condition is Condition.RUNNING for sighting in found):
            await self._log.keep_small(known)
        return found

    # --- looking --------------------------------------------------------------------------------

    def _possible(self) -> set[str]:
        """Those that are known, and those that somebody else may have started."""
        known = self._known | self._lives.instances()
        if known and self._around.instances == 1:
            return known
        return known | {instances.named(self._around.service, 1 + i) for i in range(self._around.instances)}

    async def _look(self, instance: str, *, patient: bool = False) -> Sighting:
        """What is seen of it; ``patient`` takes an answer of a moment ago."""
        if calling := self._calls.get(instance):
            return self._sighting(instance, _CALLS[calling], "the script runs")
        verdict = await self._asking.ask(instance, self._lives.get(instance), patient=patient)
        if calling := self._calls.get(instance):  # it began while we asked
            return self._sighting(instance, _CALLS[calling], "the script runs")
        life = self._lives.get(instance)
        if life is not None and self._here and life.boot != clock.boot_id():
            self._ends[instance] = "the host was restarted"
            life = self._become(self._life(life.id, Phase.GONE), instance)
        if verdict.condition is Condition.ABSENT:
            return await self._not_there(instance, life, verdict)
        if life is None or life.phase is Phase.GONE:
            life = self._life(uuid4().hex, Phase.RUNNING)
            self._around.note(f"{instance} runs, and it was not Poorwill that started it")
        elif verdict.condition is Condition.RUNNING and await self._has_started(instance, life):
            life = self._life(life.id, Phase.RUNNING)
        self._become(life, instance)
        return self._sighting(instance, verdict.condition, verdict.detail)

    async def _has_started(self, instance: str, life: Life) -> bool:
        """Whether the start script is over, of an earlier life of ours as well."""
        if life.phase is Phase.STARTING:
            return not await self._log.works(instance)
        return life.phase is Phase.STARTED

    async def _not_there(self, instance: str, life: Life | None, verdict: Verdict) -> Sighting:
        if life is None or life.phase is Phase.GONE:
            return self._sighting(instance, Condition.ABSENT, self._ends.get(instance, verdict.detail))
        if life.phase in _CALLS and await self._log.works(instance):
            return self._sighting(instance, _CALLS[life.phase], "the script runs still")
        if life.phase is Phase.STARTED and self._may_appear(life):
            return self._sighting(instance, Condition.STARTING, verdict.detail)
        detail = {
            Phase.STARTING: "the start was cut off",
            Phase.STARTED: f"it was not there after its start: {verdict.detail}",
            Phase.RUNNING: f"it has ended, and it was not Poorwill that stopped it: {verdict.detail}",
        }.get(life.phase, f"stopped: {verdict.detail}")
        if life.phase is Phase.RUNNING:
            self._around.note(f"{instance} has ended, and it was not Poorwill that stopped it")
        self._ends[instance] = detail
        self._become(self._life(life.id, Phase.GONE), instance)
        return self._sighting(instance, Condition.ABSENT, detail)

    def _may_appear(self, life: Life) -> bool:
        """Whether what was started may still come; without a status script the readiness probe decides."""
        return self._options.status is None or clock.now().wall - life.at < APPEARS_WITHIN

    def _sighting(self, instance: str, condition: Condition, detail: str) -> Sighting:
        life = self._lives.get(instance)
        name = life.id if life else ""
        there = condition is not Condition.ABSENT
        handle = Handle(instance, {"life": name}) if life and there else None
        values = instances.values(instance) if there else {}
        return Sighting(instance, condition, life=name, detail=detail, handle=handle, values=values)

    # --- running scripts ------------------------------------------------------------------------

    async def _call(self, instance: str, phase: Phase, line: str, timeout: float) -> Ran:
        self._calls[instance] = phase
        try:
            return await self._shell.run(
                words.runnable(instances.filled(line, instance)),
                timeout=timeout,
                cwd=self._cwd,
                env=self._env(instance),
                log=self._log.file(instance),
            )
        finally:
            del self._calls[instance]
            self._asking.forget(instance)

    async def _status(self, instance: str, line: str) -> Ran:
        return await self._shell.run(
            words.runnable(instances.filled(line, instance)),
            timeout=self._options.status_timeout,
            cwd=self._cwd,
            env=self._env(instance),
        )

    async def _may_have_stopped(self, instance: str, asked: Life, before: Life, ran: Ran) -> None:
        """Raises what the failed stop script said, unless the service is gone all the same."""
        try:
            if (await self._look(instance)).condition is Condition.ABSENT:
                return
        except ProviderError:
            pass  # unknown: then the script's failure is what is known
        self._turn(instance, asked, before)
        raise await self._failure(instance, "stop", ran)

    async def _failure(self, instance: str, verb: Literal["start", "stop"], ran: Ran) -> ProviderError:
        options = self._options
        line, limit = {
            "start": (options.start, options.timeout),
            "stop": (options.stop, options.stop_timeout),
        }[verb]
        return await words.failure(self._shell, verb, instances.filled(line, instance), ran, limit, self._cwd)

    def _env(self, instance: str) -> dict[str, str]:
        own = {name: instances.filled(value, instance) for name, value in self._options.env.items()}
        return {**own, **words.variables(self._around.service, instance)}

    # --- the rest -------------------------------------------------------------------------------

    def _hurry(self, instance: str, phase: Phase) -> None:
        """Look often until what was asked for has come about: the next ordinary look may be seconds away."""

        async def look() -> None:
            pause, longest = HURRY
            while not self._closed:
                with suppress(ProviderError):  # the ordinary look will say so
                    await self._look(instance)
                life = self._lives.get(instance)
                if life is None or life.phase is not phase:
                    self._around.changed()
                    return
                await asyncio.sleep(pause)
                pause = min(longest, 1.3 * pause)

        self._keep(look())

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        # Not in the TaskGroup of app.py, which a failure would end: this concerns one instance only.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _become(self, life: Life, instance: str) -> Life:
        if self._lives.get(instance) != life:
            self._lives.put(instance, life)
        return life

    def _turn(self, instance: str, begun: Life, after: Life) -> None:
        """From what a call began with to what came of it, unless it was lost meanwhile."""
        if self._lives.get(instance) == begun:
            self._become(after, instance)

    def _life(self, name: str, phase: Phase) -> Life:
        return Life(name, phase, clock.now().wall, clock.boot_id())

    def _lock(self, instance: str) -> asyncio.Lock:
        return self._locks.setdefault(instance, asyncio.Lock())
