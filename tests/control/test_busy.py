"""A busy probe puts off the sleep: asked when it matters, once more before the stop, and never for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_front import NAME
from tests.control.fake_provider import Cloud
from tests.control.house import PLACE, RULES, House, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill import clock
from poorwill.control.busy_probe import Subject
from poorwill.control.facts import Facts
from poorwill.core.model import Hand, HandKind, OnRequest, Service
from poorwill.core.work import BusyRule, Says
from poorwill.store.journal import Kind

RULE = BusyRule(every=30.0, at_most=3_600.0, unknown_at_most=300.0)


class Probe:
    """Says what it is told to; ``takes`` is how long an answer takes."""

    def __init__(self) -> None:
        self.says = Says.FREE
        self.words = "busy probe: 3 jobs"
        self.takes = 0.2
        self.asked: list[float] = []
        self.breaks = False

    async def ask(self, _subject: Subject) -> tuple[Says, str]:
        self.asked.append(clock.now().mono)
        await asyncio.sleep(self.takes)
        if self.breaks:
            raise KeyError("no such thing")
        return self.says, self.words


def employ(house: House, **rules: Any) -> tuple[Facts, Probe]:
    probe: Any = Probe()
    given = Service(NAME, RULES.idle_after, RULES.drain, RULES.start_timeout, busy=RULE)
    for name, value in rules.items():
        object.__setattr__(given, name, value)
    return house.add(rules=given, busy=probe), probe


async def wake(house: House) -> None:
    house.front.ask()
    await house.becomes("awake")


def reason(facts: Facts) -> str:
    return facts.decision.reason if facts.decision else ""


@in_virtual_time
async def test_what_is_not_at_work_sleeps_as_ever_and_is_asked_twice(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        _, probe = employ(house)
        await wake(house)
        await asyncio.sleep(50)
        assert probe.asked == [], "nobody wants to know while somebody needs it"
        assert await house.becomes("draining", 30) == pytest.approx(10, abs=1)
        assert len(probe.asked) == 1
        await house.becomes("asleep", 10)
        assert len(probe.asked) == 2, "once more right before the stop"


@in_virtual_time
async def test_work_keeps_it_awake_until_it_is_done(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house)
        await wake(house)
        probe.says = Says.BUSY
        await until(lambda: reason(facts) == "busy probe: 3 jobs", 80)
        assert house.phase() == "awake"
        begun = running().time()
        await asyncio.sleep(1_000)
        assert house.phase() == "awake"
        assert house.front.calls == ["open"], "the gate stays open: who comes is served"
        since = [at for at in probe.asked if at > begun]
        assert len(since) == pytest.approx(1_000 / 30.2, abs=1), "at the stated pace"
        probe.words = "busy probe: 2 jobs"
        await asyncio.sleep(40)
        assert reason(facts) == "busy probe: 3 jobs", "a reason is no curve"
        assert facts.busy_said == "busy probe: 2 jobs"
        probe.says = Says.FREE
        await house.becomes("asleep", 40)
        told = [event.reason for event in await house.events(Kind.PHASE)]
        assert told.count("busy probe: 3 jobs") == 1


@in_virtual_time
async def test_work_found_right_before_the_stop_calls_the_sleep_off(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        _, probe = employ(house)
        await wake(house)
        await house.becomes("draining", 80)
        probe.says = Says.BUSY
        await house.becomes("awake", 5)
        assert house.cloud.count("stop") == 0
        assert house.front.calls == ["open", "close", "open"]
        probe.says = Says.FREE
        await house.becomes("asleep", 60)


@in_virtual_time
async def test_it_has_a_say_for_so_long_and_then_it_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house)
        await wake(house)
        probe.says = Says.BUSY
        await until(lambda: reason(facts) == "busy probe: 3 jobs", 80)
        assert await house.becomes("draining", 4_000) == pytest.approx(3_600, abs=1)
        assert reason(facts).endswith("busy probe: 3 jobs, but for more than 1h (busy.at_most)")
        await house.becomes("asleep", 5)
        (told,) = await house.events(Kind.BUSY)
        assert told.reason == "busy probe: 3 jobs, but for more than 1h (busy.at_most)"
        await wake(house)  # the next life has its own say
        await until(lambda: reason(facts) == "busy probe: 3 jobs", 80)
        await asyncio.sleep(3_000)
        assert house.phase() == "awake"


@in_virtual_time
async def test_a_visitor_in_between_begins_the_say_anew(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house)
        await wake(house)
        probe.says = Says.BUSY
        await until(lambda: reason(facts) == "busy probe: 3 jobs", 80)
        await asyncio.sleep(3_000)
        house.front.ask(waiting=0)
        house.front.ask(waiting=1)
        house.front.ask(waiting=0)
        await until(lambda: "in use" in reason(facts), 5)
        await asyncio.sleep(3_000)
        assert house.phase() == "awake"
        assert await house.becomes("draining", 1_000) == pytest.approx(660, abs=5)


@in_virtual_time
@pytest.mark.parametrize("how", ["unknown", "breaks"])
async def test_a_probe_that_fails_is_told_and_has_a_shorter_say(tmp_path: Path, how: str) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house)
        await wake(house)
        probe.says, probe.words, probe.breaks = Says.UNKNOWN, "busy probe fails: refused", how == "breaks"
        await until(lambda: "fails" in reason(facts), 80)
        assert await house.becomes("draining", 400) == pytest.approx(300, abs=1)
        await house.becomes("asleep", 5)
        first, last = await house.events(Kind.BUSY)
        assert "fails" in first.reason
        assert "for more than 5m (busy.unknown_at_most)" in last.reason
        assert 8 <= len(probe.asked) <= 12, "asked again at the pace, not in a loop"


@in_virtual_time
async def test_an_answer_that_is_slow_holds_nobody_up(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house)
        await wake(house)
        probe.takes = 25.0
        await until(lambda: reason(facts) == "a busy probe is asked", 80)
        house.front.ask(waiting=0)
        house.front.ask()
        await asyncio.sleep(60)
        assert house.phase() == "awake"
        house.front.ask(waiting=0)
        await house.becomes("asleep", 200)


@in_virtual_time
async def test_a_person_who_says_sleep_waits_for_the_work_too_unless_he_cuts_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house)
        await wake(house)
        probe.says = Says.BUSY
        await house.desk.sleep(NAME, "by hand")
        await until(lambda: reason(facts) == "put to sleep by hand; busy probe: 3 jobs", 5)
        await asyncio.sleep(1_000)
        assert house.phase() == "draining"
        assert len(probe.asked) < 40
        facts.hand = Hand(HandKind.SLEEP, running().time(), force=True)
        house.reconciler.nudge(NAME)
        await house.becomes("asleep", 2)


@in_virtual_time
async def test_after_hours_it_waits_for_the_work_with_the_gate_closed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts, probe = employ(house, on_request=OnRequest.CLOSED)
        probe.says = Says.BUSY
        await house.desk.wake(NAME, 20.0, "by hand")
        await house.becomes("awake")
        await until(lambda: reason(facts) == "closed; busy probe: 3 jobs", 40)
        assert house.front.calls[-1] == "close"
        probe.says = Says.FREE
        await house.becomes("asleep", 40)


@in_virtual_time
async def test_after_a_restart_what_works_is_asked_before_it_is_stopped(tmp_path: Path) -> None:
    async with a_house(tmp_path) as first:
        _, probe = employ(first)
        await wake(first)
        cloud = first.cloud
        first.end()
    await asyncio.sleep(500)
    async with a_house(tmp_path, cloud) as house:
        restored = await house.journal.restore()
        probe = Probe()
        probe.says = Says.BUSY
        anything: Any = probe
        facts = house.add(restored[NAME], rules=Service(NAME, 60.0, 10.0, 40.0, busy=RULE), busy=anything)
        await until(lambda: reason(facts) == "busy probe: 3 jobs", 200)
        assert house.cloud.count("stop") == 0


@in_virtual_time
async def test_what_is_not_stopped_anyway_is_not_asked(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.begin(PLACE, foreign=True)
    async with a_house(tmp_path, cloud) as house:
        _, probe = employ(house)
        await house.becomes("awake")
        await asyncio.sleep(600)
        assert probe.asked == []
        assert len(await house.events(Kind.PHASE)) < 5
