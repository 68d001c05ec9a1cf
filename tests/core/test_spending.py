"""What of a budget was used, and how fast it goes: of one, of a machine with all on it, of everything."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.standings import a_budget

from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.price import Power, Price
from poorwill.core.spending import Awake, pace, uncounted, used


def line(
    name: str,
    hours: float,
    amount: str | None,
    currency: str = "CNY",
    whole: str | None = None,
    aboard: float = 0,
) -> Line:
    """Of ``aboard`` of these hours it was on the machine."""
    kind = "machine" if name == "gpu" else "service" if name else "cost"
    worth, all_of_it = (None if one is None else Decimal(one) for one in (amount, whole))
    seconds = hours * 3600
    return Line(name, kind, seconds, seconds, worth, currency, whole=all_of_it, aboard=aboard * 3600)


LINES = (
    line("notes", 2, "8"),
    line("notes", 1, None, ""),  # before anybody said what it costs
    line("gpu", 10, "5", whole="40"),
    line("web", 4, "20", aboard=4),
    line("model", 3, "15", aboard=1),  # it came to the machine later
    line("far", 1, "2", "USD"),
    line("", 0, "35"),
)
RATES = (("USD", Decimal(7)),)


def of(payer: str, unit: str = "CNY") -> Budget:
    return a_budget(payer=payer, unit=unit)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (of("notes"), 8),
        (of("notes", HOURS), 3),
        (of("web"), 20),
        (of("gpu"), 40),
        (of("gpu", HOURS), 10),
        (of(""), 83),
        (of("").with_rates(RATES), 97),
        (of("", HOURS), 16),
        (of("far"), 0),
        (of("nobody"), 0),
    ],
)
def test_what_was_used(budget: Budget, expected: int) -> None:
    assert used(budget, LINES) == expected


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (of("notes"), ()),
        (of("far"), ("USD",)),
        (of("far", HOURS), ()),
        (of("").with_rates(RATES), ()),
        (of(""), ("USD",)),
        (of("free"), ("",)),
        (of("nobody"), ()),
    ],
)
def test_what_cannot_be_counted(budget: Budget, expected: tuple[str, ...]) -> None:
    free = line("free", 3, None, "")
    assert uncounted(budget, (*LINES, free)) == expected


POWER = Price("CNY", power=Power(Decimal(500), Decimal("0.6")))
AWAKE = Awake(
    {"notes": 2, "gpu": 1, "web": 1, "model": 1, "asleep": 0, "far": 1, "own": 1},
    {"web": "gpu", "model": "gpu"},
    {
        "notes": Price("CNY", Decimal(4)),
        "gpu": Price("CNY", Decimal(10)),
        "asleep": Price("CNY", Decimal(9)),
        "far": Price("USD", Decimal(2)),
        "own": POWER,
    },
)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (of("notes"), "8"),
        (of("notes", HOURS), "2"),
        (of("asleep"), "0"),
        (of("web"), "5"),
        (of("web", HOURS), "1"),
        (of("gpu"), "10"),
        (of("own"), "0.3"),
        (of(""), "18.3"),
        (of("").with_rates(RATES), "32.3"),
        (of("", HOURS), "5"),
    ],
)
def test_how_fast_it_goes(budget: Budget, expected: str) -> None:
    assert pace(budget, AWAKE) == Decimal(expected)
