"""What the ledger counts, against the books of the cloud itself: never less than was there, and never more
than that and the time in which nobody could tell. With the cloud's own timestamps it is the same.

The control room is the real one, in virtual time. Set LEDGERS to some thousands after a change of the ledger.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.core.billed_world import BEGINS, HISTORIES, Books, Step, books_of

from poorwill.core.ledger import lives
from poorwill.core.life import Life
from poorwill.core.model import Now
from poorwill.core.period import Per, Period, period_of

LEDGERS = int(os.environ.get("LEDGERS", "100"))

PHASES = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if os.environ.get("SHRINK") else [])]
"""A failure takes long to make smaller: set SHRINK to have that done."""

LOOP = 0.1
"""Seconds that the control room may take from a look to its line."""

ZONE = "Europe/Berlin"


def counted(found: tuple[Life, ...], now: float) -> float:
    return sum((now if life.end is None else life.end) - life.start for life in found)


def check_split(books: Books, now: Now) -> None:
    """Whichever month is asked for, a life is the same one: nothing at its ends is lost or doubled."""
    whole = lives(books.events(), now.wall, clock=now)
    last = max((life.end or now.wall for life in whole), default=now.wall)
    month = period_of(Per.MONTH, min((life.start for life in whole), default=now.wall), ZONE)
    total = 0.0
    while month.start <= last:
        told = lives(books.events(month.start, month.stop), now.wall, clock=now)
        inside = [life for life in whole if _within(life, month, now.wall)]
        assert inside == [life for life in told if _within(life, month, now.wall)]
        total += sum(_within(life, month, now.wall) for life in told)
        month = period_of(Per.MONTH, month.stop, ZONE)
    assert total == pytest.approx(counted(whole, now.wall), abs=0.001)


def _within(life: Life, month: Period, now: float) -> float:
    """How many of its seconds are in that month."""
    end = now if life.end is None else life.end
    return max(0.0, min(end, month.stop) - max(life.start, month.start))


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=LEDGERS, phases=PHASES, report_multiple_bugs=False)
@given(HISTORIES, st.sampled_from([0.0, 10.0]), st.sampled_from([0.0, 1.0]), BEGINS)
def test_never_less_than_was_there_and_never_more_than_could_not_be_told(
    history: list[Step], settle: float, lag: float, begin: float
) -> None:
    with books_of(settle, lag, begin, tells=False) as books:
        books.play(history)
        books.world.advance(1.0)
        now, time = books.world.loop.now(), books.world.loop.time()
        found = lives(books.events(), now.wall, clock=now)
        true = sum(end - start for start, end in books.cloud.true_lives(time).values())
        guess = books.cloud.unconfirmed(settle, time, books.kills)
        assert true - 0.001 <= counted(found, now.wall), (found, books.cloud.true_lives(time))
        slack = LOOP * (1 + len(found))
        assert counted(found, now.wall) <= true + guess + slack, (found, books.cloud.true_lives(time))
        check_split(books, now)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=LEDGERS, phases=PHASES, report_multiple_bugs=False)
@given(HISTORIES, st.sampled_from([0.0, 10.0]), st.sampled_from([0.0, 1.0]), BEGINS)
def test_the_same_where_the_cloud_tells(history: list[Step], settle: float, lag: float, begin: float) -> None:
    with books_of(settle, lag, begin, tells=True) as books:
        books.play(history)
        books.comes_to_rest()
        now, time = books.world.loop.now(), books.world.loop.time()
        found = lives(books.events(), now.wall, clock=now)
        true = sum(end - start for start, end in books.cloud.true_lives(time).values())
        exact = tuple(life for life in found if life.exact)
        assert counted(exact, now.wall) == pytest.approx(true, abs=0.001), (
            found,
            books.cloud.true_lives(time),
        )
        rest = [life for life in found if not life.exact]
        assert all(life.end and life.unconfirmed == pytest.approx(life.end - life.start) for life in rest)
        check_split(books, now)
