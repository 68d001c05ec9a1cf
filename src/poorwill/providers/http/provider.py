"""The provider of rented instances: one service's instance at a cloud, switched on and off by its API."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from poorwill import clock
from poorwill.config.units import format_duration
from poorwill.core.model import Condition
from poorwill.errors import NoCapacity, Permanent, ProviderError, Temporary
from poorwill.providers.base import Handle, Json, Sighting, Surroundings
from poorwill.providers.http import options, story
from poorwill.providers.http.answers import Denied, Missing, Throttled, Unanswered
from poorwill.providers.http.client import Client
from poorwill.providers.http.deadman import DeadMansSwitch
from poorwill.providers.http.lives import Lives, Record
from poorwill.providers.http.pace import Pace
from poorwill.providers.http.patience import Patience
from poorwill.providers.http.reading import Reader, Seen
from poorwill.providers.http.warnings import Warnings

SAID = 200
"""How many lines of the talk with the cloud are kept for ``log_tail``."""


class HttpProvider:
    """See ``providers.base`` for the laws, and ``Description`` for what differs between clouds.

    Being off is ABSENT: a stopped instance is there, costs less, and can be started again. A status that
    the description does not know is UNKNOWN, an instance that the cloud does not know an error.
    """

    Options: ClassVar[type[BaseModel]] = options.Options
    notices: ClassVar[bool] = False
    settle = 30.0
    stale_after = 60.0

    def __init__(self, options: options.Options, around: Surroundings) -> None:
        about = options.described
        self.settle, self.stale_after = about.settle, about.stale_after
        self._options, self._around, self._about = options, around, about
        self._client = Client(about, options.words, options.secrets, options.url or "")
        self._reader = Reader(about, self._client, options.words)
        self._lives = Lives(around.folder)
        self._pace = Pace(about.poll, about.settle)
        self._warnings = Warnings(about, around.note)
        self._locks: dict[str, asyncio.Lock] = {}
        self._said: dict[str, deque[str]] = {}
        limit = about.no_capacity.give_up if options.give_up is None else options.give_up
        self._patience = Patience(limit)
        self._switch = DeadMansSwitch(options.timer, self.set_timer, self._warnings.say)
        self._only = f"{around.service}-1"
        self._next_look: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def has_timer(self) -> bool:
        """Whether the cloud has a shutdown timer that can be set."""
        return self._about.timer is not None

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        """Nothing to take over: the cloud knows what runs. The journal may know it by another name."""
        for handle in known.values():
            which = handle.data.get("id")
            if not self._is_template and which == self._options.instance:
                self._only = handle.instance
            elif which not in (None, self._id(handle.instance)):
                self._warnings.say(
                    f"{which} was its instance before and is not looked at any more: is it off?"
                )

    async def prepare(self, _instance: str) -> Mapping[str, Json]:
        return {}

    async def start(self, instance: str, _prepared: Mapping[str, Json]) -> Handle:
        """Reads the state first: a start that was asked for twice may be billed twice, or undo a stop."""
        self._only = instance
        async with self._lock(instance):
            handle = Handle(instance, {"id": self._id(instance)})
            seen = await self._reader.one(self._id(instance))
            self._note_seen(instance, seen)
            if seen.on:
                return handle
            if seen.condition is not Condition.ABSENT:
                raise Temporary(
                    f"{self._about.name} says {seen.state}: not started",
                    hint=seen.says or "it is looked at again",
                )
            before = self._lives.get(instance)
            if before.accepted and story.is_waiting(before, clock.now().wall, self.settle):
                return handle  # the status lags behind
            self._warnings.before_a_start()
            await self._ask_to_start(instance)
            return handle

    async def stop(self, instance: str) -> None:
        """Returns when the cloud has accepted; ``list`` shows whether it happened."""
        async with self._lock(instance):
            before = self._lives.get(instance)
            self._ask(instance, story.STOP)
            try:
                await self._client.call(self._about.stop, "stop it", instance=self._id(instance))
            except Missing:
                self._lives.put(instance, before)
                return
            except (Throttled, Denied) as error:
                self._say(instance, str(error))
                raise
            except ProviderError as error:
                self._say(instance, str(error))
                if not await self._was_needless(instance, before, error):
                    raise
                if self._lives.get(instance).asked:
                    self._lives.put(instance, before)  # the earlier stop is the one to wait for
                return
            self._lives.put(instance, replace(self._lives.get(instance), accepted=True))
            self._say(instance, "the cloud accepted the stop")

    async def set_timer(self, instance: str, seconds: float) -> None:
        """Set the cloud's own shutdown timer. Raises Permanent when the cloud has none."""
        timer = self._about.timer
        if timer is None:
            raise Permanent(
                f"{self._about.name} has no shutdown timer that can be set", hint="leave timer out"
            )
        words = {
            "seconds": f"{seconds:.0f}",
            "minutes": f"{max(1, round(seconds / 60))}",
            "unix": f"{clock.now().wall + seconds:.0f}",
        }
        await self._client.call(timer, "set the shutdown timer", instance=self._id(instance), **words)
        self._say(instance, f"the cloud's own timer ends it in {format_duration(seconds)} unless set again")

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        """What was said to the cloud and what it answered; the instance's own output stays there."""
        said = list(self._said.get(instance, ()))
        return said[-lines:] if lines > 0 else []

    async def close(self) -> None:
        self._closed = True
        if self._next_look is not None:
            self._next_look.cancel()
        await self._client.close()

    async def list(self) -> list[Sighting]:
        """While nothing changes the cloud is asked only every ``poll`` seconds."""
        known = self._pace.known()
        if known is not None:
            return known
        began = clock.now().mono
        try:
            seen = await self._look()
        except ProviderError as error:
            self._pace.refused(error)
            raise
        sightings = [self._sighting(name, one) for name, one in seen.items()]
        moving = any(self._moves(sighting) for sighting in sightings)
        self._pace.saw(sightings, began, moving=moving)
        await self._switch.keep(sightings)
        if moving:
            self._hurry()
        return sightings

    # --- looking --------------------------------------------------------------------------------

    async def _look(self) -> Mapping[str, Seen]:
        if not self._is_template:
            return {self._only: await self._reader.one(self._options.instance)}
        ours = re.compile(".+".join(map(re.escape, self._options.instance.split(options.NAME))))
        before, _, after = self._options.instance.partition(options.NAME)
        found = {}
        for which, seen in (await self._reader.every()).items():
            if ours.fullmatch(which):
                name = which[len(before) : len(which) - len(after)]
                found[name] = await self._reader.with_details(which, seen)
        return found

    def _sighting(self, name: str, seen: Seen) -> Sighting:
        life = self._note_seen(name, seen)
        detail = f"{self._about.name}: {seen.state}" + (f" ({seen.says})" if seen.says else "")
        handle = Handle(name, {"id": self._id(name)})
        values = dict(seen.values) if seen.condition is Condition.RUNNING else {}
        return Sighting(name, seen.condition, life, detail=detail, handle=handle, values=values)

    def _note_seen(self, name: str, seen: Seen) -> str:
        """Keep what a look adds; returns the name of the instance's present life."""
        wall = clock.now().wall
        before = self._lives.get(name)
        after, note = story.follow(before, seen, wall, self.settle)
        self._lives.put(name, after)
        if note:
            self._warnings.say(f"{self._id(name)}: {note}")
            self._say(name, note)
        self._warnings.of_deletion(name, after, wall)
        return f"{after.life} {seen.life}".strip()

    def _hurry(self) -> None:
        """Have it looked at again soon: a visitor may wait for it, or the bill runs on."""
        if self._closed or self._next_look is not None:
            return

        def look() -> None:
            self._next_look = None
            self._around.changed()

        self._next_look = asyncio.get_running_loop().call_later(self._about.hurry, look)

    def _moves(self, sighting: Sighting) -> bool:
        if sighting.condition in (Condition.STARTING, Condition.STOPPING):
            return True
        record = self._lives.get(sighting.instance)
        return record.asked == story.STOP or story.is_waiting(record, clock.now().wall, self.settle)

    async def _was_needless(self, instance: str, before: Record, error: ProviderError) -> bool:
        """Whether a stop that failed was not needed: clouds refuse to stop what is off, or about to be."""
        if isinstance(error, Unanswered):
            return False
        seen = await self._reader.one(self._id(instance))
        self._note_seen(instance, seen)
        lags = before.accepted and story.is_waiting(before, clock.now().wall, self.settle, story.STOP)
        return lags or seen.condition in (Condition.ABSENT, Condition.STOPPING)

    # --- starting -------------------------------------------------------------------------------

    async def _ask_to_start(self, instance: str) -> None:
        call = self._about.start
        if call is None:
            raise Permanent(
                f"{self._about.name} cannot start an instance that was stopped",
                hint="`poorwill clouds` lists clouds that can",
            )
        before = self._lives.get(instance)
        self._ask(instance, story.START)
        try:
            await self._client.call(call, "start it", instance=self._id(instance))
        except ProviderError as error:
            self._say(instance, str(error))
            if not isinstance(error, Unanswered):  # that one may have worked: it stays remembered
                self._lives.put(instance, before)
            if isinstance(error, NoCapacity):
                self._patience.nothing_free(instance, error)
            raise
        self._patience.over(instance)
        self._lives.put(instance, replace(self._lives.get(instance), accepted=True))
        self._say(instance, "the cloud accepted the start")

    # --- the rest -------------------------------------------------------------------------------

    @property
    def _is_template(self) -> bool:
        return options.NAME in self._options.instance

    def _id(self, instance: str) -> str:
        return self._options.instance.replace(options.NAME, instance)

    def _ask(self, instance: str, what: str) -> None:
        record = self._lives.get(instance)
        self._lives.put(instance, replace(record, asked=what, accepted=False, asked_at=clock.now().wall))
        self._pace.called()

    def _say(self, instance: str, line: str) -> None:
        self._said.setdefault(instance, deque(maxlen=SAID)).append(line)

    def _lock(self, instance: str) -> asyncio.Lock:
        return self._locks.setdefault(instance, asyncio.Lock())
