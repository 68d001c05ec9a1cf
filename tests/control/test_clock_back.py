"""Somebody sets the clock back by a day in the middle of everything: nothing waits a day, nothing is lost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from tests.control.fake_front import NAME
from tests.control.house import RULES, a_house
from tests.control.virtual_time import in_virtual_time, running

from poorwill import clock
from poorwill.store.journal import Kind

DAY = 86_400.0


@in_virtual_time
@pytest.mark.parametrize("when", ["asleep", "waking", "awake", "draining"])
async def test_the_life_of_a_service_goes_on_as_if_nothing_were(tmp_path: Path, when: str) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        for phase, within in (("asleep", 10.0), ("waking", 1.0), ("awake", 10.0), ("draining", 70.0)):
            if phase == "waking":
                house.front.ask()
            took = await house.becomes(phase, within)
            if phase == when:
                running().wall_offset -= DAY
            if phase == "draining":
                assert took == pytest.approx(RULES.idle_after, abs=6)
        await house.becomes("asleep", 20)
        assert house.cloud.count("start") == house.cloud.count("stop") == 1
        events = await house.events()
        assert all(b.id == a.id + 1 and b.mono >= a.mono for a, b in pairwise(events)), "in their order"
        assert any(b.at < a.at - DAY / 2 for a, b in pairwise(events)), "each with its own time all the same"
        (ready,) = [event for event in events if event.kind is Kind.READY]
        assert 0 < ready.detail["seconds"] < 10, "a wake takes no negative time, and no day"
        assert 0 < house.reconciler.services[NAME].wakes[0] < 10


@in_virtual_time
async def test_a_wake_for_an_hour_lasts_an_hour(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        await house.desk.wake(NAME, 3_600.0, "by hand")
        await house.becomes("awake")
        running().wall_offset -= DAY
        begun = clock.now().mono
        await house.becomes("asleep", 3_700)
        assert clock.now().mono - begun == pytest.approx(3_600, abs=10)
