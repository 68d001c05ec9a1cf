"""A world with a cloud that keeps books: what can happen in it to what the ledger counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import strategies as st
from tests.control import fake_provider
from tests.control.fake_provider import FOREVER
from tests.control.virtual_time import WALL
from tests.core import control_plane
from tests.core import world as worlds
from tests.core.billed_cloud import BilledCloud, BilledProvider, Kill
from tests.core.control_plane import STALE_AFTER
from tests.core.world import World, a_world

from poorwill.control.observer import LOOK_EVERY
from poorwill.core.model import HandKind
from poorwill.store.event import Event, Kind
from poorwill.store.ledger import select_ledger

Step = tuple[Any, ...]
"""A method of ``Books`` by name, and what it is given."""

BEGINS = st.sampled_from([0.0, 6_195_600.0 - 200, 1_436_400.0 - 90])
"""Seconds after ``WALL``: any time, and shortly before the clocks change and a month ends in Berlin."""

STARTS = ["ok", "ok", "error", "permanent", "error-but-done", "hang-but-done", "nothing"]
STOPS = ["ok", "later", "error", "error-but-done", "hang-but-done", "nothing"]


def _step(name: str, *choices: object) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.sampled_from(choices)) if choices else st.just((name,))


USUAL = st.one_of(
    _step("passes", 0.06, 1.5, 11.0, 61.0, 170.0),
    _step("comes", 0.0, 20.0, 100.0),
    _step("says", HandKind.WAKE, HandKind.SLEEP, None),
    st.tuples(st.just("weather"), st.just("start"), st.sampled_from(STARTS)),
    st.tuples(st.just("weather"), st.just("stop"), st.sampled_from(STOPS)),
    st.tuples(st.just("weather"), st.just("looking"), st.sampled_from(["ok", "error", "hang"])),
    st.tuples(st.just("weather"), st.just("dies_after"), st.sampled_from([0.0, 2.0, 90.0, FOREVER])),
    st.tuples(st.just("weather"), st.just("returning"), st.sampled_from([0.01, 2.0])),
    _step("crashes"),
    _step("is_started"),
    _step("is_stopped"),
    _step("kill", 0.01, 1.0, 50.0),
    _step("suspend", 30.0, 3600.0, 40 * 86400.0),
)
CLOCKS = _step("clock", -86400.0, -5.0, 5.0, 3600.0, 86400.0)
BOOTS = _step("boot", 1.0, 50.0)
"""Between two boots nothing but the wall clock tells how long it was: it is not set then."""

AWAKE: list[Step] = [("comes", 20.0), ("passes", 3.0)]
HISTORIES = st.one_of(
    st.lists(st.one_of(USUAL, USUAL, USUAL, CLOCKS), max_size=14), st.lists(USUAL | BOOTS, max_size=14)
).map(lambda steps: [*AWAKE, *steps])


class Books:
    """What can happen, and what the control plane's ends were."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kills: list[Kill] = []
        self.under_way: dict[asyncio.TimerHandle, Callable[[], None]] = {}
        assert isinstance(world.cloud, BilledCloud)
        self.cloud = world.cloud

    def play(self, history: list[Step]) -> None:
        for name, *given in history:
            getattr(self, name)(*given)
            if self.world.broken:
                raise self.world.broken[0]

    def comes_to_rest(self) -> None:
        """Nothing runs, and it was looked at since."""
        for _ in range(10):
            self.world.falls_asleep()
            self.world.advance(2 * self.world.settle + LOOK_EVERY + 1.0)
            if self._rests():
                return
        raise AssertionError(f"it does not come to rest; {self.world.tell()}")

    def _rests(self) -> bool:
        gone = self.cloud.copy() is None and not self.cloud.starting
        return gone and self.world._phase() == "asleep" and not self.world._desired()

    def events(self, since: float = 0.0, until: float = 1e11) -> list[Event]:
        with self.world.disk._connection.begin():
            return select_ledger(self.world.disk._connection, since, until)

    def passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    def comes(self, lasts: float) -> None:
        self.world.visit("active", "talking", lasts, 60.0)

    def says(self, kind: HandKind | None) -> None:
        self.world.say(kind)

    def weather(self, name: str, value: object) -> None:
        setattr(self.cloud.weather, name, value)

    def crashes(self) -> None:
        self.cloud.crash()

    def is_started(self) -> None:
        """By somebody else, while everybody can see that nothing is there and nobody wants anything."""
        if self._rests() and self.cloud.weather.looking == "ok":
            self.world.somebody_starts_it()

    def is_stopped(self) -> None:
        self.cloud.end(2.0)

    def clock(self, seconds: float) -> None:
        self.world.loop.wall_offset += seconds

    def suspend(self, seconds: float) -> None:
        """Time goes by without this host; what the cloud was asked for happens meanwhile."""
        loop = self.world.loop
        until = loop.elapsed + seconds
        while self.under_way and (due := min(self.under_way, key=lambda each: each.when())).when() <= until:
            loop.elapsed = max(loop.elapsed, due.when())
            self.under_way.pop(due)()
            due.cancel()
        loop.elapsed = until
        self.world.advance(0.2)

    def later(self, seconds: float, effect: Callable[[], None]) -> None:
        def happens() -> None:
            self.under_way.pop(timer, None)
            effect()

        if seconds:
            timer = self.world.loop.call_later(seconds, happens)
            self.under_way[timer] = effect
        else:
            effect()

    def kill(self, away: float) -> None:
        events = self.world.disk.events()
        phases = [event for event in events if event.kind is Kind.PHASE]
        lost = bool(phases) and phases[-1].detail["phase"] == "unknown"
        line = events[-1].mono if events else 0.0
        known = self.cloud.looks[-1].begun if lost and self.cloud.looks else line
        self.kills.append(Kill(line, known - STALE_AFTER, self.world.loop.time()))
        self.world.restart(away)

    def boot(self, away: float) -> None:
        self.world.loop.boot += "+"
        self.kill(away)


@contextmanager
def books_of(settle: float, lag: float, begin: float, *, tells: bool) -> Iterator[Books]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worlds, "Cloud", BilledCloud)
        patch.setattr(control_plane, "FakeProvider", BilledProvider)
        with a_world(settle) as made:
            made.loop.wall_offset = begin
            made.cloud.weather.effect = made.cloud.weather.lag = lag * settle / 2
            books = Books(made)
            patch.setattr(fake_provider, "_later", books.later)
            books.cloud.tells, books.cloud.zero = tells, WALL + begin
            made.advance(1.0)
            yield books
