"""Hours in the whole control room: to the minute, under a person's word, and by a clock that is set."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_provider import Cloud
from tests.control.house import NAME, FakeFront, House, a_house
from tests.control.virtual_time import WALL, in_virtual_time, running, until
from tests.core.timetables import table

from poorwill import clock
from poorwill.control import restore
from poorwill.control.facts import Facts
from poorwill.control.reconcile import CLOCK_CHECK
from poorwill.core.door import Traffic
from poorwill.core.model import OnRequest, Service
from poorwill.store.journal import Kind

# Virtual time begins on Friday, 15 January 2027, at 08:00 UTC.
OPENS, CLOSES = WALL + 3600, WALL + 2 * 3600
TODAY = {"hours": "Fri 09:00-10:00"}


def rules(*entries: Any, on_request: OnRequest = OnRequest.WAKE, idle_after: float = 60.0) -> Service:
    hours = table(*(entries or (TODAY,)))
    return Service(NAME, idle_after, 10.0, 40.0, on_request=on_request, timetable=hours)


def add(house: House, *entries: Any, **more: Any) -> Facts:
    known = {key: more.pop(key) for key in ("on_request", "idle_after") if key in more}
    return house.add(rules=rules(*entries, **known), **more)


async def sleep_until(wall: float) -> None:
    await asyncio.sleep(wall - clock.now().wall)


@in_virtual_time
async def test_awake_from_the_minute_it_opens_to_the_minute_it_closes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        add(house)
        await house.becomes("asleep")
        await sleep_until(OPENS - 2)
        assert house.cloud.calls[-1][0] == "list"
        await sleep_until(OPENS + 10)
        assert house.phase() == "awake"
        (start,) = await house.events(Kind.START)
        assert 0 <= start.at - OPENS < 1
        await sleep_until(CLOSES - 1)
        assert house.phase() == "awake", "nobody came for an hour, and it is open"
        await house.becomes("asleep", 80)
        (stop,) = await house.events(Kind.STOP)
        assert 0 <= stop.at - CLOSES < 1


@in_virtual_time
@pytest.mark.parametrize("on_request", OnRequest)
async def test_visitors_at_closing_time(tmp_path: Path, on_request: OnRequest) -> None:
    async with a_house(tmp_path) as house:
        add(house, on_request=on_request)
        await sleep_until(CLOSES - 10)
        now = running().time()
        house.front.traffics[NAME] = Traffic(
            active=1, busy=1, last_activity=now, read_at=now, previous_at=now
        )
        assert house.front.shown[NAME]["entrance"] is OnRequest.WAKE
        await sleep_until(CLOSES + 300)
        assert house.cloud.count("stop") == 0, "work is never cut by the clock"
        closed = on_request is OnRequest.CLOSED
        assert house.phase() == ("draining" if closed else "awake")
        assert house.front.shown[NAME]["entrance"] is on_request
        hours = house.front.shown[NAME]["hours"]
        if closed:
            assert hours.next_opening(clock.now().wall) == OPENS + 7 * 86400
        before = house.front.traffic(NAME)
        house.front.traffics[NAME] = Traffic(
            last_activity=before.last_activity, quiet_since=running().time(), read_at=running().time()
        )
        await house.becomes("asleep", 120)


@in_virtual_time
async def test_a_window_that_is_led_finds_the_service_awake(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = add(house, {**TODAY, "ready_by": "09:00"})
        facts.wakes.extend([20.0] * 9 + [30.0])
        house.cloud.weather.ready_after = 15.0
        await sleep_until(OPENS - 0.5)
        assert house.phase() == "awake"
        (start,) = await house.events(Kind.START)
        assert start.at == pytest.approx(OPENS - 20, abs=1), "nine of ten wakes took no longer"


@in_virtual_time
async def test_sleep_holds_until_the_next_window_also_over_a_restart(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        add(house)
        await house.becomes("asleep")
        row = await house.desk.sleep(NAME, "by ada")
        assert row["hand_until"] == "2027-01-15T09:00:00.000+00:00"
        house.front.ask()
        await asyncio.sleep(60)
        assert house.phase() == "asleep"
    async with a_house(tmp_path, cloud, front) as house:
        restored = (await house.journal.restore())[NAME]
        facts = add(house, restored=restored)
        assert facts.hand is not None
        front.askeds.clear()
        await sleep_until(OPENS - 2)
        assert house.phase() == "asleep"
        await sleep_until(OPENS + 10)
        assert house.phase() == "awake"
        row = await house.desk.sleep(NAME, "by ada")
        assert row["hand_until"] == "2027-01-22T09:00:00.000+00:00", "the one after this window"
        await house.becomes("asleep", 60)


@in_virtual_time
async def test_plans_come_true_also_over_a_restart_and_auto_takes_them_back(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        add(house)
        await house.becomes("asleep")
        await house.desk.plan(NAME, "sleep", "09:10-09:20", "by ada")
        row = await house.desk.plan(NAME, "wake", "10:30-10:40", "by ada")
        assert [plan["kind"] for plan in row["plans"]] == ["sleep", "wake"]
    async with a_house(tmp_path, cloud, front) as house:
        restored = (await house.journal.restore())[NAME]
        facts = add(house, restored=restored, plans=restore.plans(restored, clock.now()))
        seen = []
        for minutes in (65, 75, 85, 125, 155, 165):
            await sleep_until(WALL + minutes * 60)
            seen.append(house.phase())
        assert seen == ["awake", "asleep", "awake", "asleep", "awake", "asleep"]
        await house.desk.plan(NAME, "wake", "11:00-11:30", "by ada")
        await house.desk.auto(NAME, "by ada")
        assert facts.plans == ()
        restored = (await house.journal.restore())[NAME]
        assert restore.plans(restored, clock.now()) == ()


@in_virtual_time
@pytest.mark.parametrize("on_the_way", [-7200.0, 7200.0])
async def test_a_clock_that_is_set_is_noticed_and_the_hours_follow(tmp_path: Path, on_the_way: float) -> None:
    async with a_house(tmp_path) as house:
        add(house)
        await sleep_until(OPENS + 600)
        assert house.phase() == "awake"
        running().wall_offset += on_the_way  # out of the window, on either side
        took = await until(lambda: house.phase() != "awake", CLOCK_CHECK + 6, "it is noticed")
        assert took <= CLOCK_CHECK + 6
        await house.becomes("asleep", 120)
        running().wall_offset -= on_the_way
        await house.becomes("awake", CLOCK_CHECK + 10)


@in_virtual_time
async def test_it_sleeps_by_idling_what_its_hour_has_woken(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        add(house, {"start": "0 9 * * *", "until": "idle"}, on_request=OnRequest.CLOSED, idle_after=600.0)
        await sleep_until(OPENS + 10)
        assert house.phase() == "awake"
        assert house.front.shown[NAME]["entrance"] is OnRequest.WAKE
        await sleep_until(OPENS + 610)
        await house.becomes("asleep", 30)
        assert house.front.shown[NAME]["entrance"] is OnRequest.CLOSED
        assert house.cloud.count("start") == 1


@in_virtual_time
async def test_a_month_of_office_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start and stop within a second of its minute, holidays left out."""
    from poorwill.control import observer, reconcile

    monkeypatch.setattr(observer, "LOOK_EVERY", 1800.0)
    monkeypatch.setattr(reconcile, "CLOCK_CHECK", 86400.0)
    monkeypatch.setattr(reconcile, "READ_AWAKE", 1800.0)
    hours = table({"hours": "Mon-Fri 09:00-18:00", "holidays": "CN"}, zone="Asia/Shanghai")
    async with a_house(tmp_path) as house:
        house.cloud.weather.running_after = house.cloud.weather.ready_after = 0.0
        closed = OnRequest.CLOSED  # a service is read four times in its idle time: seldom, here
        facts = house.add(rules=Service(NAME, 86400.0, 10.0, 40.0, on_request=closed, timetable=hours))
        facts.provider.stale_after = 1e9
        await asyncio.sleep(31 * 86400)
        moments = [event.at for event in await house.events(Kind.START, Kind.STOP)]
        expected = [
            moment
            for opening in hours.openings(WALL, 31)
            for moment in (opening.start, opening.stop or 0.0)
            if WALL < moment < clock.now().wall
        ]
        moments = [moment for moment in moments if moment > WALL + 60]  # the first window was open already
        assert len(moments) == len(expected) > 30
        assert max(abs(one - other) for one, other in zip(moments, expected, strict=True)) < 1.0
