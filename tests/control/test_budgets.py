"""Budgets in the whole control room: what they hold back, what people are told, what restarts keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_provider import Cloud
from tests.control.house import NAME, FakeFront, House, a_house
from tests.control.test_machines import APP, GPU, MODEL, World
from tests.control.virtual_time import WALL, in_virtual_time, running, until

from poorwill.accounts import spent
from poorwill.accounts.spent import Spent
from poorwill.control import restore
from poorwill.control.budgets import Budgets
from poorwill.control.uncountable import Gap
from poorwill.core.bill import Line
from poorwill.core.budget import AtLimit, Budget
from poorwill.core.door import Traffic
from poorwill.core.model import OnRequest, Service
from poorwill.core.period import Per, Period
from poorwill.errors import StateError
from poorwill.store.journal import Event, Kind

# Virtual time begins on a Friday at 22:00 on Christmas Island; here a quarter before midnight.
ZONE = "Pacific/Kiritimati"
MIDNIGHT = WALL + 2 * 3600
QUARTER_TO = 105 * 60.0
TENTH = Decimal("0.1")
"""Of an hour: six minutes."""


def a_budget(limit: Decimal = TENTH, at_limit: AtLimit = AtLimit.CLOSED, **said: Any) -> Budget:
    return Budget(NAME, Per.DAY, ZONE, limit, at_limit=at_limit, **said)


def rules(*budgets: Budget, idle_after: float = 60.0) -> Service:
    return Service(NAME, idle_after, 10.0, 40.0, budgets=budgets)


class Paper:
    """Reads the journal as the real one; ``torn`` it cannot be read. ``takes`` so many seconds each time."""

    def __init__(self, error: Exception | None = None) -> None:
        self.torn = False
        self.error = error or StateError("the journal is damaged", hint="restore it")
        self.reads = 0
        self.takes = 0.0
        self.loop = running()

    def read(self, folder: Path, periods: Sequence[Period], now: float) -> Spent:
        self.reads += 1
        self.loop.elapsed += self.takes
        if self.torn:
            raise self.error
        return spent.read(folder, periods, now)


@asynccontextmanager
async def bound(
    folder: Path,
    *budgets: Budget,
    cloud: Cloud | None = None,
    front: FakeFront | None = None,
    paper: Paper | None = None,
    **more: Any,
) -> AsyncIterator[tuple[House, Budgets]]:
    """The control room with these budgets for its service, which a journal may know already."""
    running().wall_offset = QUARTER_TO
    async with a_house(folder, cloud, front) as house:
        past = (await house.journal.restore()).get(NAME)
        known = {"owing": restore.owing(past, running().now())} if past else {}
        house.add(past, rules=rules(*budgets), **known, **more)
        keeper = Budgets(folder, house.recorder, house.reconciler.nudge, (paper or Paper()).read)
        keeper.want(budgets)
        house.spawn(keeper.run(house.reconciler.services))
        yield house, keeper


def use(house: House, busy: int = 0) -> None:
    """Somebody uses it without a break."""
    now = running().time()
    house.front.traffics[NAME] = Traffic(1 - busy, busy, now, None, now, now)


def rest(house: House) -> None:
    """From now on nobody does."""
    now = running().time()
    house.front.traffics[NAME] = Traffic(0, 0, now, now, now, now)
    house.front.ask(waiting=0)


async def used_for(house: House, seconds: float) -> None:
    end = running().time() + seconds
    while running().time() < end:
        use(house)
        await asyncio.sleep(min(30.0, end - running().time()))


async def alerts(house: House) -> list[tuple[str, float]]:
    return [(one.detail["severity"], one.detail["percent"]) for one in await told(house)]


async def told(house: House) -> list[Event]:
    return [one for one in await house.events(Kind.ALERT) if one.detail["about"] == "budget"]


def row(house: House) -> dict[str, Any]:
    (found,) = house.desk.status()
    return found


async def wakes(house: House) -> None:
    house.front.ask()
    await house.becomes("awake")


@in_virtual_time
async def test_it_closes_when_the_budget_is_used_up_and_opens_at_midnight(tmp_path: Path) -> None:
    async with bound(tmp_path, a_budget()) as (house, _):
        await wakes(house)
        (start,) = await house.events(Kind.START)
        await used_for(house, 340)
        assert house.phase() == "awake"
        assert await alerts(house) == [("warning", 50.0), ("warning", 80.0)]
        rest(house)
        await house.becomes("asleep", 120)
        (stop,) = await house.events(Kind.STOP)
        assert stop.at - start.at == pytest.approx(360, abs=3)
        await asyncio.sleep(6)
        assert (await alerts(house))[2:] == [("error", 100.0)]
        told = house.front.shown[NAME]
        assert told["entrance"] is OnRequest.CLOSED
        assert told["hours"].openings == ((MIDNIGHT, None),)
        house.front.ask()
        await asyncio.sleep(60)
        assert house.phase() == "asleep", "nobody wakes it"
        assert row(house)["rule"] == "budget"
        (budget,) = row(house)["budgets"]
        assert budget["in_force"]
        assert float(budget["used"]) == pytest.approx(0.1, abs=0.02)
        await asyncio.sleep(MIDNIGHT - running().now().wall - 1)
        assert house.phase() == "asleep"
        await house.becomes("awake", 10)
        await asyncio.sleep(6)
        (*_, notice) = await told_of(house)
        assert notice.startswith("over: a new day began: 0% of the budget")


async def told_of(house: House) -> list[str]:
    return [one.reason for one in await told(house)]


@in_virtual_time
async def test_open_work_ends_first(tmp_path: Path) -> None:
    async with bound(tmp_path, a_budget(Decimal("0.01"))) as (house, _):
        await wakes(house)
        use(house, busy=1)
        await house.becomes("draining", 60)
        for _ in range(20):
            use(house, busy=1)
            await asyncio.sleep(30)
        assert house.phase() == "draining"
        assert house.cloud.count("stop") == 0
        rest(house)
        await house.becomes("asleep", 60)


@in_virtual_time
async def test_no_wake_lets_go_on_what_is_awake(tmp_path: Path) -> None:
    async with bound(tmp_path, a_budget(Decimal("0.01"), AtLimit.NO_WAKE)) as (house, _):
        await wakes(house)
        await used_for(house, 100)
        assert house.phase() == "awake"
        assert row(house)["budgets"][0]["in_force"]
        rest(house)
        await house.becomes("asleep", 120)
        house.front.ask()
        await asyncio.sleep(60)
        assert house.phase() == "asleep"
        assert house.front.shown[NAME]["entrance"] is OnRequest.CLOSED
        await house.desk.wake(NAME, None, "by hand")
        await house.becomes("awake")


@in_virtual_time
async def test_a_restart_keeps_it_and_nobody_is_told_twice(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    budget = a_budget(Decimal("0.01"))
    async with bound(tmp_path, budget, cloud=cloud, front=front) as (house, _):
        await wakes(house)
        house.front.ask(waiting=0)
        await house.becomes("asleep", 120)
        await asyncio.sleep(6)
        assert await alerts(house) == [("warning", 50.0), ("warning", 80.0), ("error", 100.0)]
    async with bound(tmp_path, budget, cloud=cloud, front=front) as (house, _):
        house.front.ask()
        await asyncio.sleep(300)
        assert cloud.count("start") == 1, "nothing is started before it is known"
        assert row(house)["rule"] == "budget"
        assert len(await alerts(house)) == 3
    async with bound(tmp_path, budget, cloud=cloud, front=front) as (house, _):
        await asyncio.sleep(MIDNIGHT - running().now().wall + 60)
        assert [one for one in await told_of(house) if one.startswith("over: a new day began")]
        assert cloud.count("start") == 2


@in_virtual_time
@pytest.mark.parametrize(
    "error", [None, KeyError("price"), InvalidOperation("digits"), AttributeError("get")], ids=str
)
async def test_nothing_is_started_before_it_is_known_what_was_spent(
    tmp_path: Path, error: Exception | None
) -> None:
    paper = Paper(error)
    paper.torn = True
    async with bound(tmp_path, a_budget(), paper=paper) as (house, _):
        house.front.ask()
        await asyncio.sleep(120)
        assert house.phase() == "waking"
        assert row(house)["reason"].endswith("waits until it is known what was spent of the budget")
        assert house.cloud.count("start") == 0
        (alert,) = await told(house)
        assert (alert.service, alert.detail["severity"]) == ("", "error")
        assert str(error or "the journal is damaged") in alert.reason
        paper.torn = False
        await house.becomes("awake", 20)
        assert [one.detail["severity"] for one in await told(house)] == ["error", "notice"]


@in_virtual_time
async def test_what_only_warns_is_started_at_once(tmp_path: Path) -> None:
    paper = Paper()
    paper.torn = True
    async with bound(tmp_path, a_budget(at_limit=AtLimit.WARN), paper=paper) as (house, _):
        await wakes(house)


@in_virtual_time
async def test_the_last_known_state_stays_while_the_journal_cannot_be_read(tmp_path: Path) -> None:
    paper = Paper()
    async with bound(tmp_path, a_budget(), paper=paper) as (house, _):
        await wakes(house)
        await used_for(house, 180)
        paper.torn = True
        await used_for(house, 150)
        assert house.phase() == "awake"
        rest(house)
        await house.becomes("asleep", 120)
        assert row(house)["rule"] == "budget", "it is reckoned on from what was known"


@in_virtual_time
async def test_a_larger_budget_opens_at_once_and_is_told_anew(tmp_path: Path) -> None:
    async with bound(tmp_path, a_budget(Decimal("0.01"))) as (house, keeper):
        await wakes(house)
        house.front.ask(waiting=0)
        await house.becomes("asleep", 120)
        house.front.ask()
        await asyncio.sleep(5)
        assert house.phase() == "asleep"
        more = a_budget(Decimal("0.02"))
        house.reconciler.services[NAME].rules = rules(more)
        keeper.want([more])
        house.reconciler.nudge(NAME)
        await house.becomes("awake", 20)
        seen = await alerts(house)
        assert seen[3] == ("notice", 0.0)
        assert ("warning", 50.0) in seen[4:], "half of the new one"


@in_virtual_time
async def test_it_is_read_when_something_comes_or_goes_and_once_a_minute(tmp_path: Path) -> None:
    paper = Paper()
    async with bound(tmp_path, a_budget(), paper=paper) as (house, _):
        await house.becomes("asleep")
        await until(lambda: paper.reads, 5)
        quiet = paper.reads
        await asyncio.sleep(600)
        assert 9 <= paper.reads - quiet <= 11
        before = paper.reads
        await wakes(house)
        await asyncio.sleep(1)
        assert paper.reads > before


@in_virtual_time
async def test_it_is_read_once_the_prices_are_in_the_journal(tmp_path: Path) -> None:
    paper, written = Paper(), asyncio.Event()

    async def noted(within: float) -> bool:
        assert within
        await written.wait()
        return True

    async with a_house(tmp_path) as house:
        house.add(rules=rules(a_budget()))
        keeper = Budgets(tmp_path, house.recorder, house.reconciler.nudge, paper.read, noted)
        keeper.want([a_budget()])
        house.spawn(keeper.run(house.reconciler.services))
        await asyncio.sleep(3)
        assert paper.reads == 0
        written.set()
        await until(lambda: paper.reads, 5)


@in_virtual_time
async def test_a_long_journal_is_not_read_all_the_time_and_the_limit_holds(tmp_path: Path) -> None:
    """Reading takes 8 seconds, and something comes or goes each minute and a bit."""
    paper = Paper()
    async with bound(tmp_path, a_budget(Decimal("0.25")), paper=paper) as (house, _):
        await house.becomes("asleep")
        await until(lambda: paper.reads > 1, 60)
        paper.takes = 8.0
        await asyncio.sleep(90)
        before, begin = paper.reads, running().time()
        while house.phase() != "asleep" or row(house)["rule"] != "budget":
            assert running().time() < begin + 3600
            house.front.ask()
            await asyncio.sleep(40)
            rest(house)
            await asyncio.sleep(80)
        spent_for = running().time() - begin
        assert paper.reads - before <= spent_for / 160 + 2
        assert [percent for _, percent in await alerts(house)][-3:] == [50.0, 80.0, 100.0]
        (budget,) = row(house)["budgets"]
        assert budget["in_force"]
        assert 100 <= budget["percent"] < 120


@in_virtual_time
async def test_the_wall_clock_may_be_set(tmp_path: Path) -> None:
    """Within the day that uses nothing up; in the next it is open, and closed again when it is set back."""
    async with bound(tmp_path, a_budget()) as (house, _):
        await wakes(house)
        await used_for(house, 60)
        running().wall_offset -= 3600
        await used_for(house, 60)
        assert house.phase() == "awake"
        await used_for(house, 300)
        rest(house)
        await house.becomes("asleep", 60)
        assert row(house)["rule"] == "budget"
        running().wall_offset += 3 * 3600
        await asyncio.sleep(30)
        assert row(house)["rule"] == "idle"
        running().wall_offset -= 3 * 3600
        await asyncio.sleep(30)
        assert row(house)["rule"] == "budget"


@in_virtual_time
async def test_what_is_on_a_machine_goes_first_and_waits_with_it(tmp_path: Path) -> None:
    """The machine's budget is used up while the app works with the model: the machine goes last."""
    world = World()
    budget = Budget(GPU, Per.DAY, ZONE, TENTH, at_limit=AtLimit.CLOSED)

    def bound_by(name: str) -> dict[str, Any]:
        return {"rules": Service(name, idle_after=60.0, drain=10.0, start_timeout=60.0, budgets=(budget,))}

    running().wall_offset = QUARTER_TO
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house, **{name: bound_by(name) for name in (GPU, MODEL, APP)})
        keeper = Budgets(tmp_path, house.recorder, house.reconciler.nudge)
        keeper.want([budget])
        house.spawn(keeper.run(house.reconciler.services))
        world.front.ask(APP)
        await house.becomes("awake", name=APP)
        world.front.traffics[APP] = Traffic(0, 1, running().time(), None, running().time(), None)
        await house.becomes("draining", 500, APP)
        await asyncio.sleep(30)
        assert [house.phase(name) for name in (GPU, MODEL, APP)] == ["awake", "awake", "draining"]
        world.front.traffics[APP] = Traffic()
        await until(lambda: house.phase(GPU) == "asleep", 120)
        assert world.order == ["start gpu", "start model", "start app", "stop app", "stop model", "stop gpu"]
        world.front.ask(APP)
        await asyncio.sleep(60)
        assert len(world.order) == 6
        told = {row["name"]: row["reason"] for row in house.desk.status()}
        assert told[APP].startswith("the budget of 0.1 hours a day for gpu is used up; opens on Sat at 00:00")
        assert told[GPU].startswith("its budget of 0.1 hours a day is used up")


@in_virtual_time
async def test_what_was_paid_in_another_currency_is_told(tmp_path: Path) -> None:
    def read(_folder: Path, periods: Sequence[Period], _now: float) -> Spent:
        dollars = Line(NAME, "service", 60.0, 60.0, Decimal(3), "USD")
        return Spent(dict.fromkeys(periods, (dollars,)))

    async with a_house(tmp_path) as house:
        money = a_budget(Decimal(10), unit="CNY")
        house.add(rules=rules(money))
        keeper = Budgets(tmp_path, house.recorder, house.reconciler.nudge, read)
        keeper.want([money])
        house.spawn(keeper.run(house.reconciler.services))
        await asyncio.sleep(200)
        (alert,) = await told(house)
        assert alert.reason.startswith("what was paid in USD does not count in the budget of 10 CNY a day")
        assert row(house)["budgets"][0]["uncounted"] == ["USD"]


@in_virtual_time
async def test_what_can_never_be_counted_is_told_at_the_start(tmp_path: Path) -> None:
    budget = a_budget(Decimal(10), unit="CNY")
    gap = Gap(budget, (), "USD", "the price is in USD", "say what that is worth")
    async with bound(tmp_path, budget) as (house, keeper):
        keeper.want([budget], lambda: [gap])
        await asyncio.sleep(200)
        (alert,) = await told(house)
        assert alert.reason == "budget of 10 CNY a day: the price is in USD"
        assert (alert.detail["severity"], alert.detail["hint"]) == ("error", gap.hint)
        assert row(house)["budgets"][0]["uncounted"] == ["USD"]
