"""What a person says of a job holds for one run: in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import House, a_house
from tests.control.virtual_time import in_virtual_time, until

from poorwill import clock
from poorwill.control import restore
from poorwill.control.facts import Facts, Tenancy
from poorwill.core.model import HandKind, Plan, Service
from poorwill.store.journal import Kind

JOB = "nightly"


def a_job(house: House, cloud: Cloud) -> Facts:
    cloud.weather.dies_after = 30.0
    rules = Service(JOB, start_timeout=40.0, job=True)
    return house.add(
        name=JOB,
        rules=rules,
        provider=FakeProvider(cloud),
        probe=None,
        tenancy=Tenancy.JOB,
        has_door=False,
    )


@in_virtual_time
async def test_a_job_planned_for_certain_hours_runs_once_in_them(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        facts, now = a_job(house, cloud), clock.now()
        later = Plan(HandKind.WAKE, now.wall + 600.0, now.wall + 700.0)
        facts.plans = (Plan(HandKind.WAKE, now.wall + 60.0, now.wall + 360.0), later)
        house.reconciler.nudge(JOB)
        await until(lambda: cloud.count("start") == 1, 90.0)
        await asyncio.sleep(400.0)
        assert cloud.count("start") == 1
        assert [*facts.plans] == [later]
        await until(lambda: cloud.count("start") == 2, 300.0)


@in_virtual_time
async def test_a_plan_for_later_is_not_forgotten_with_a_run_by_hand(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        facts = a_job(house, cloud)
        await house.becomes("asleep", name=JOB)
        await house.desk.plan(JOB, "sleep", "2030-01-01 10:00-14:00", "by test")
        (plan,) = facts.plans
        await house.desk.wake(JOB, None, "by test")
        await until(lambda: facts.hand is None, 90.0)
        assert await house.events(Kind.DONE)
        restored = (await house.journal.restore())[JOB]
        assert restore.plans(restored, clock.now()) == (plan,)
        assert restore.hand(restored.hand, clock.now()) is None
