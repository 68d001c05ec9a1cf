"""Several instances, whatever happens and in any order: nothing is cut, never too many, and in the end as
many as are wanted.

Safety is checked inside the world (``FleetWorld.check*``); here is what can happen, and what must come true.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.control.fake_provider import FOREVER
from tests.core.fleet_plane import INSTANCES, MOST
from tests.core.fleet_world import FleetWorld, a_fleet

from poorwill.core.model import HandKind

WORLDS = int(os.environ.get("WORLDS", "40"))
"""How many worlds are tried; set it to some thousands after a change of the brain."""

WAYS_TO_FAIL = ["error", "permanent", "error-but-done", "hang", "hang-but-done", "nothing", "later"]


class Fleets(RuleBasedStateMachine):
    world: FleetWorld

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize(
        settle=st.sampled_from([0.0, 10.0]),
        effect=st.sampled_from([0.0, 0.3, 1.0]),
        lag=st.sampled_from([0.0, 0.3, 1.0]),
    )
    def begin(self, settle: float, effect: float, lag: float) -> None:
        self.world = self.stack.enter_context(a_fleet(settle))
        weather = self.world.clouds.weather
        weather.effect, weather.lag = effect * settle / 2, lag * settle / 2

    @rule(seconds=st.sampled_from([0.004, 0.06, 0.5, 1.5, 4.0, 11.0, 25.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    # --- load, visitors and people ------------------------------------------------------------------

    @rule(level=st.integers(0, MOST + 1))
    def load_comes_and_goes(self, level: int) -> None:
        self.world.level = level

    @rule(
        kind=st.sampled_from(["active", "busy"]),
        lasts=st.sampled_from([0.0, 0.3, 20.0, 100.0]),
        patience=st.sampled_from([0.5, 30.0, 100.0]),
        count=st.integers(1, 4),
    )
    def visitors_come(self, kind: str, lasts: float, patience: float, count: int) -> None:
        for _ in range(count):
            self.world.visit(kind, lasts, patience)

    @rule()
    def a_page_is_asked_for(self) -> None:
        self.world.page()

    @rule(kind=st.sampled_from([HandKind.WAKE, HandKind.SLEEP, None]))
    def a_person_says(self, kind: HandKind | None) -> None:
        self.world.say(kind)

    # --- faults -------------------------------------------------------------------------------------

    @rule(call=st.sampled_from(["start", "stop"]), how=st.sampled_from(["ok", *WAYS_TO_FAIL]))
    def calls_go(self, call: str, how: str) -> None:
        setattr(self.world.clouds.weather, call, how)

    @rule(capacity=st.integers(0, MOST))
    def there_is_room(self, capacity: int) -> None:
        self.world.clouds.capacity = capacity

    @rule(how=st.sampled_from(["ok", "error", "hang"]))
    def looks_go(self, how: str) -> None:
        self.world.clouds.weather.looking = how

    @rule(
        returning=st.sampled_from([0.01, 2.0, 30.0]),
        ready=st.sampled_from([0.0, 1.0, 30.0, FOREVER]),
        dies=st.sampled_from([2.0, 90.0, FOREVER]),
    )
    def instances_are(self, returning: float, ready: float, dies: float) -> None:
        weather = self.world.clouds.weather
        weather.returning, weather.ready_after, weather.dies_after = returning, ready, dies

    @rule(instance=st.sampled_from(INSTANCES))
    def one_crashes(self, instance: str) -> None:
        self.world.clouds.each[instance].crash()

    @rule(away=st.sampled_from([0.0, 0.01, 1.0, 50.0]))
    def the_control_plane_is_killed(self, away: float) -> None:
        self.world.restart(away)

    @rule(takes=st.sampled_from([0.0, 0.005, 0.3, 3.0]), stats=st.booleans())
    def envoy_is(self, takes: float, stats: bool) -> None:
        self.world.envoy.flip_takes, self.world.envoy.answers_stats = takes, stats

    # --- and in the end -----------------------------------------------------------------------------

    @rule(count=st.integers(0, MOST))
    def faults_cease(self, count: int) -> None:
        self.world.has(count)

    def teardown(self) -> None:
        with self.stack:
            if hasattr(self, "world") and not self.world.broken:
                self.world.lasts(MOST)
                self.world.has(1)
                self.world.wakes_for_a_page()


TestFleets = Fleets.TestCase
TestFleets.pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # a failure takes long to shrink
TestFleets.settings = settings(max_examples=WORLDS, stateful_step_count=40)
