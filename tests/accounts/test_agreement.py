"""One month, told by everybody who tells what it cost: all say the same, to the cent and below."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from tests.accounts.written import ZONE, Line, life, terms, wall, whole, write

from poorwill.accounts.account import account, as_json
from poorwill.accounts.asked import asked
from poorwill.accounts.books import read
from poorwill.accounts.focus import focus
from poorwill.accounts.looking_back import Rules, record
from poorwill.accounts.review import review
from poorwill.accounts.spent import read as spent
from poorwill.core.budget import HOURS, Budget
from poorwill.core.costs import Cost
from poorwill.core.period import Per, period_of
from poorwill.core.price import Price
from poorwill.core.spending import used

MONTH = period_of(Per.MONTH, wall("2025-03-10"), ZONE)
RATES = (("USD", Decimal("7.15")),)
PAYERS = ("gpu", "old", "kb", "web", "far", "report", "free")
LEAST = Decimal("0.0001")
"""JSON has six digits after the point, and some rows."""
Sums = dict[str, Decimal]


def _moment(hours: float) -> str:
    """So long after 25 February."""
    minutes = round(hours * 60)
    day, rest = divmod(minutes, 1440)
    date = f"2025-02-{25 + day:02}" if day < 4 else f"2025-03-{day - 3:02}" if day < 35 else "2025-04-01"
    return f"{date} {rest // 60:02}:{rest % 60:02}"


def lived(random: Random) -> list[Line]:
    """Five weeks around March: machines that services leave and come to, a job, two currencies."""
    hour = Price("CNY", Decimal("3.33"), step=3600, minimum=1800)
    prices = {
        "gpu": hour,
        "old": Price("USD", Decimal("0.77"), step=60),
        "far": Price("USD", Decimal("1.01"), minimum=60),
        "report": Price("CNY", Decimal("0.7")),
    }
    kinds = {"gpu": "machine", "old": "machine", "report": "job"}
    costs = [Cost("disk", Decimal(35), "CNY", "month", ZONE), Cost("site", Decimal(50), "USD", "year", ZONE)]
    lines = [whole("2025-02-25", *PAYERS, costs=[one.as_json() for one in costs])]
    for name in PAYERS:
        on = random.choice(("gpu", "old")) if name in ("kb", "web") else ""
        lines.append(terms("2025-02-25", name, prices.get(name), on, kinds.get(name, "service")))
    for name in ("kb", "web"):  # they move, also in the middle of a life
        for _ in range(3):
            on = random.choice(("gpu", "old", ""))
            lines.append(terms(_moment(random.uniform(30, 800)), name, None if on else hour, on))
    dearer = Price("CNY", Decimal("4.1"), step=3600)
    lines.append(terms(_moment(random.uniform(30, 800)), "gpu", dearer, kind="machine"))
    for name in PAYERS:
        for number in (1, 2) if name in ("web", "far") else (1,):
            at = random.uniform(1, 40)
            while at < 820:
                end = at + random.choice((0.05, 1.5, 7, 30)) * random.uniform(0.5, 2)
                lines += life(name, _moment(at), _moment(end), number)
                at = end + random.uniform(0.1, 160)
    return lines


def sums(amounts: Iterable[tuple[str, Decimal | float | str | None]]) -> Sums:
    found: Sums = defaultdict(Decimal)
    for currency, amount in amounts:
        if amount is not None:
            found[currency] += Decimal(str(amount))
    return dict(found)


def budget(payer: str, unit: str) -> Budget:
    return Budget(payer, Per.MONTH, ZONE, Decimal(10**6), unit, rates=() if unit == HOURS else RATES)


def near(one: Sums, other: Sums) -> bool:
    units = {*one, *other}
    return all(abs(one.get(unit, Decimal(0)) - other.get(unit, Decimal(0))) < LEAST for unit in units)


@pytest.mark.parametrize("seed", range(2))
async def test_everybody_says_the_same(tmp_path: Path, seed: int) -> None:
    folder = await write(tmp_path / "state", lived(Random(seed)))
    now = wall("2025-04-03 12:00") if seed % 2 else wall("2025-03-21 13:37")
    month = asked(now, ZONE, month="2025-03")
    assert month
    books = read(folder, MONTH.start, MONTH.stop, now)
    told = account(books, month)
    total = told.total
    assert set(total) == {"CNY", "USD"}
    json = as_json(told)
    parts = (*json["services"], *json["machines"], *json["costs"])
    assert near(sums((one["currency"], one["amount"]) for one in parts), total)
    rows = csv.DictReader(io.StringIO(focus(books, month, "gateway-1")))
    assert near(sums((row["BillingCurrency"], row["BilledCost"]) for row in rows), total)
    fixed = [(one.cost.currency, one.amount) for one in told.fixed]

    budgets = [budget(name, unit) for name in ("", *PAYERS) for unit in ("CNY", HOURS)]
    looked_back = review(record(folder, MONTH, now, Rules(budgets=tuple(budgets))))
    assert near(looked_back.totals, total)
    standing = spent(folder, [MONTH], now).lines[MONTH]
    rows_of = {(row.name, row.unit): row for row in looked_back.rows if row.budget and row.item != "cost"}
    for one in budgets:
        row = rows_of.get((one.payer, one.unit))
        assert abs((row.used if row else 0) - used(one, standing)) < LEAST, one
    worth = {"CNY": Decimal(1), **dict(RATES)}
    whole_month = sum(amount * worth[unit] for unit, amount in total.items())
    assert abs(used(budget("", "CNY"), standing) - whole_month) < LEAST
    machines = sum((used(budget(name, "CNY"), standing) for name in ("gpu", "old")), Decimal(0))
    beside = sums(
        (one.currency, (one.amount or 0) - one.shared) for one in books.lines(month) if one.kind != "machine"
    )
    own = sum(amount * worth[unit] for unit, amount in [*beside.items(), *fixed] if unit)
    assert abs(machines + own - whole_month) < LEAST
