"""Whatever happens, in any order: the promises about coming and going hold.

Safety is checked inside the world (``world.check*``); here is what can happen, and what must come true.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.control.fake_provider import FOREVER
from tests.core.world import World, a_world

from poorwill.core.model import HandKind

WORLDS = int(os.environ.get("WORLDS", "200"))
"""How many worlds are tried; set it to some thousands after a change of the brain."""

CLASSES = st.sampled_from(
    [("active", "talking"), ("active", "silent"), ("active", "keep-alive"), ("busy", "silent")]
)
LASTING = st.sampled_from([0.0, 0.3, 20.0, 100.0, FOREVER])
FOR_SO_LONG = st.sampled_from([None, 3.0, 40.0])
WAYS_TO_FAIL = ["error", "permanent", "error-but-done", "hang", "hang-but-done", "nothing", "later"]


class Worlds(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize(
        settle=st.sampled_from([0.0, 10.0]),
        effect=st.sampled_from([0.0, 0.3, 1.0]),
        lag=st.sampled_from([0.0, 0.3, 1.0]),
    )
    def begin(self, settle: float, effect: float, lag: float) -> None:
        self.world = self.stack.enter_context(a_world(settle))
        weather = self.world.cloud.weather
        weather.effect, weather.lag = effect * settle / 2, lag * settle / 2

    @rule(seconds=st.sampled_from([0.004, 0.06, 0.5, 1.5, 4.0, 11.0, 25.0, 61.0, 170.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    # --- visitors -----------------------------------------------------------------------------------

    @rule(what=CLASSES, lasts=LASTING, patience=st.sampled_from([0.5, 30.0, 100.0]))
    def visitors_come(self, what: tuple[str, str], lasts: float, patience: float) -> None:
        self.world.visit(*what, lasts, patience)

    @rule(what=CLASSES, lasts=LASTING)
    def somebody_is_at_work(self, what: tuple[str, str], lasts: float) -> None:
        self.world.wakes_up()
        self.world.visit(*what, lasts, 30.0)

    @rule()
    def a_page_is_asked_for(self) -> None:
        self.world.page()

    @rule(kind=st.sampled_from(["busy", "active"]))
    def requests_end(self, kind: str) -> None:
        self.world.envoy.end_flows(lambda flow: flow.kind == kind)

    # --- people -------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from([HandKind.WAKE, HandKind.SLEEP, None]), seconds=FOR_SO_LONG)
    def a_person_says(self, kind: HandKind | None, seconds: float | None) -> None:
        self.world.say(kind, seconds)

    @rule(seconds=FOR_SO_LONG)
    def a_person_insists(self, seconds: float | None) -> None:
        self.world.say(HandKind.SLEEP, seconds, force=True)

    # --- faults -------------------------------------------------------------------------------------

    @rule(call=st.sampled_from(["start", "stop"]), how=st.sampled_from(["ok", *WAYS_TO_FAIL]))
    def calls_go(self, call: str, how: str) -> None:
        setattr(self.world.cloud.weather, call, how)

    @rule(how=st.sampled_from(["ok", "error", "hang"]))
    def looks_go(self, how: str) -> None:
        self.world.cloud.weather.looking = how

    @rule(
        returning=st.sampled_from([0.01, 2.0, 30.0]),
        running=st.sampled_from([0.0, 0.2, 20.0]),
        ready=st.sampled_from([0.0, 1.0, 30.0, 39.9, FOREVER]),
        dies=st.sampled_from([0.0, 2.0, 90.0, FOREVER]),
    )
    def instances_are(self, returning: float, running: float, ready: float, dies: float) -> None:
        weather = self.world.cloud.weather
        weather.returning, weather.running_after = returning, running
        weather.ready_after, weather.dies_after = ready, dies

    @rule()
    def the_instance_crashes(self) -> None:
        self.world.cloud.crash()

    @rule()
    def somebody_else_starts_it(self) -> None:
        self.world.somebody_starts_it()

    @rule()
    def a_person_hands_it_over(self) -> None:
        self.world.adopt()

    @rule(away=st.sampled_from([0.0, 0.01, 1.0, 50.0]))
    def the_control_plane_is_killed(self, away: float) -> None:
        self.world.restart(away)

    @rule(takes=st.sampled_from([0.0, 0.005, 0.3, 3.0]), stats=st.booleans(), again=st.booleans())
    def envoy_is(self, takes: float, stats: bool, again: bool) -> None:
        self.world.envoy.flip_takes, self.world.envoy.answers_stats = takes, stats
        if again:
            self.world.envoy.restart()

    @rule(broken=st.booleans(), takes=st.sampled_from([0.0, 0.002, 0.5]), early=st.booleans())
    def the_disk_is(self, broken: bool, takes: float, early: bool) -> None:
        self.world.disk.broken, self.world.disk.takes, self.world.disk.early = broken, takes, early

    @rule(seconds=st.sampled_from([-86400.0, -5.0, 5.0, 86400.0]))
    def the_wall_clock_is_set(self, seconds: float) -> None:
        self.world.loop.wall_offset += seconds

    # --- and in the end -----------------------------------------------------------------------------

    @rule(then=st.sampled_from(["asleep", "awake", "awake for a page"]))
    def faults_cease(self, then: str) -> None:
        if then == "asleep":
            self.world.falls_asleep()
        elif then == "awake":
            self.world.wakes_up()
        else:
            self.world.wakes_up_for_a_page()

    def teardown(self) -> None:
        with self.stack:
            if hasattr(self, "world") and not self.world.broken:
                self.world.falls_asleep()
                self.world.wakes_up()
                self.world.falls_asleep()
                self.world.wakes_up_for_a_page()
                self.world.check_journal()


TestWorlds = Worlds.TestCase
TestWorlds.pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # a failure takes long to shrink
TestWorlds.settings = settings(max_examples=WORLDS, stateful_step_count=60)
