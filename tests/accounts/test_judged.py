"""Budgets in a review count what binds: the same as `why` and the alerts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.accounts.written import ZONE, Line, life, terms, wall, whole, write

from poorwill.accounts import spent
from poorwill.accounts.judged import judged
from poorwill.accounts.looking_back import Rules, record
from poorwill.core.budget import HOURS, Budget
from poorwill.core.costs import Cost
from poorwill.core.period import Per, period_from, period_of
from poorwill.core.price import Price
from poorwill.core.spending import used

STORAGE = Cost("storage", Decimal(31), "CNY", "month", ZONE).as_json()
LINES: list[Line] = [
    whole("2025-03-01 00:00", "m1", "kb", "sd", costs=[STORAGE]),
    terms("2025-03-01 00:00", "m1", Price("CNY", Decimal(10)), kind="machine"),
    terms("2025-03-01 00:00", "kb", on="m1"),
    terms("2025-03-01 00:00", "sd", Price("USD", Decimal(1))),
    *life("m1", "2025-03-04 09:00", "2025-03-04 15:00"),
    *life("kb", "2025-03-04 10:00", "2025-03-04 14:00"),
    *life("m1", "2025-03-31 09:00", "2025-03-31 10:00"),
    *life("sd", "2025-03-10 22:00", "2025-03-11 02:00"),
]


def budget(payer: str, limit: int, unit: str = "CNY", per: Per = Per.MONTH, zone: str = ZONE) -> Budget:
    return Budget(payer, per, zone, Decimal(limit), unit)


BUDGETS = (
    budget("m1", 50),
    budget("kb", 50),
    budget("m1", 50, per=Per.DAY),
    budget("sd", 3, HOURS, Per.WEEK),
    budget("sd", 3, "USD", Per.DAY),
    budget("", 100, zone="Europe/Berlin").with_rates((("USD", Decimal(7)),)),
    budget("", 10, HOURS),
)


async def test_they_are_what_why_says(tmp_path: Path) -> None:
    month, now = period_of(Per.MONTH, wall("2025-03-10"), ZONE), wall("2025-04-03 12:00")
    await write(tmp_path, LINES, "2025-03-01")
    found = {one.budget: one for one in judged(record(tmp_path, month, now, Rules(budgets=BUDGETS)))}
    assert found.keys() == set(BUDGETS)
    for one in BUDGETS[:2] + BUDGETS[5:]:
        period = period_from(Per.MONTH, month.first, one.zone)
        at_its_end = spent.read(tmp_path, [period], period.stop).lines[period]
        assert found[one].used == used(one, at_its_end)
    told = {one.budget: (one.used, one.over, one.times) for one in found.values()}
    assert told[BUDGETS[0]] == (Decimal(70), 1, 1)
    assert told[BUDGETS[1]] == (Decimal(60), 1, 1)
    assert told[BUDGETS[2]] == (Decimal(60), 1, 31)
    assert told[BUDGETS[3]] == (Decimal(4), 1, 5)  # the weeks that end in March
    assert told[BUDGETS[4]] == (Decimal(2), 0, 31)
    assert round(told[BUDGETS[5]][0]) == 70 + 31 + 4 * 7
    assert told[BUDGETS[6]] == (Decimal(11), 1, 1)


async def test_of_a_month_that_goes_on_its_days_so_far(tmp_path: Path) -> None:
    month, now = period_of(Per.MONTH, wall("2025-03-10"), ZONE), wall("2025-03-04 12:00")
    await write(tmp_path, LINES[:4] + LINES[4:6], "2025-03-01")
    found = {one.budget: one for one in judged(record(tmp_path, month, now, Rules(budgets=BUDGETS)))}
    assert (found[BUDGETS[2]].used, found[BUDGETS[2]].times) == (Decimal(30), 4)
    assert BUDGETS[3] in found  # the week of 24 February ended in March
