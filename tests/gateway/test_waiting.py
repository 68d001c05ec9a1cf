"""Who waits at a door and how that ends, counted."""

from __future__ import annotations

import pytest

from poorwill.core.model import Now
from poorwill.core.using import Use
from poorwill.core.waits import Waits
from poorwill.gateway.waiting import BACK_WITHIN, LONGEST, Waiting, page_name

WALL = 1_800_000_000.0


def now(mono: float) -> Now:
    return Now(WALL + mono, mono, "boot")


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def test_what_happened_is_taken_once_and_kept_in_the_total(waiting: Waiting) -> None:
    waiting.went(2.0, 5.0)
    waiting.refused(4.0)
    waiting.went(3.0, 7.0)
    told = Waits(waited=2, seconds=5.0, longest=3.0, refused=1)
    assert waiting.take(8.0) == Use(first_at=4.0, last_at=7.0, waits=told)
    assert waiting.take(9.0) == Use()
    waiting.gave_up(9.0)
    assert waiting.total == told.plus(Waits(gave_up=1))


def test_a_page_waits_from_when_it_was_made(waiting: Waiting) -> None:
    name = waiting.page_opens(page_name(WALL + 1.0), now(3.5))
    assert waiting.take(4.0).waiting == 1
    waiting.page_ends(name, 11.0, went=True)
    waiting.page_breaks_off(name, 11.0)
    use = waiting.take(12.0)
    assert (use.waits.waited, use.waiting) == (1, 0)
    assert use.waits.seconds == pytest.approx(10.0, abs=0.002)


def test_a_line_that_breaks_and_comes_back_is_one_visitor(waiting: Waiting) -> None:
    name = page_name(WALL)
    waiting.page_opens(name, now(1.0))
    waiting.page_opens(name, now(2.0))  # the page asks whether anybody is there
    waiting.page_breaks_off(name, 2.0)
    assert waiting.take(2.0 + 2 * BACK_WITHIN).waits == Waits(), "the first stream is there"
    waiting.page_breaks_off(name, 30.0)
    assert waiting.take(30.0 + BACK_WITHIN).waits == Waits()
    waiting.page_opens(name, now(40.0))
    waiting.page_ends(name, 50.0, went=True)
    waiting.page_ends(name, 50.0, went=True)
    assert waiting.take(51.0).waits == Waits(1, 50.0, 50.0)


def test_who_does_not_come_back_has_given_up_when_the_line_broke(waiting: Waiting) -> None:
    waiting.page_breaks_off(waiting.page_opens(page_name(WALL), now(1.0)), 5.0)
    use = waiting.take(5.1 + BACK_WITHIN)
    assert (use.waits, use.last_at, use.waiting) == (Waits(gave_up=1), 5.0, 0)


def test_a_page_that_becomes_another_one_counts_for_nothing(waiting: Waiting) -> None:
    waiting.page_turns(waiting.page_opens("", now(1.0)))
    waiting.page_ends(waiting.page_opens("", now(2.0)), 3.0, went=False)
    assert waiting.take(100.0).waits == Waits(refused=1)


@pytest.mark.parametrize(
    "name",
    ["", "zz", "x" * 5000, page_name(WALL + 3600.0), page_name(WALL - 2 * LONGEST), "0" * 6 + "-" + "0" * 8],
    ids=["none", "nonsense", "endless", "to come", "too old", "of 1970"],
)
def test_a_name_that_was_made_up_makes_no_wait_longer(waiting: Waiting, name: str) -> None:
    known = waiting.page_opens(name, now(10.0))
    assert len(known) < 30
    waiting.page_ends(known, 12.0, went=True)
    assert waiting.take(13.0).waits == Waits(1, 2.0, 2.0)


def test_a_stream_that_outlives_its_page_keeps_nobody_waiting_for_ever(waiting: Waiting) -> None:
    """One of two streams is told the end, the page comes back, and only then the other stream breaks off."""
    name = page_name(WALL)
    waiting.page_opens(name, now(1.0))
    waiting.page_opens(name, now(2.0))
    waiting.page_ends(name, 3.0, went=False)
    waiting.page_opens(name, now(4.0))
    waiting.page_breaks_off(name, 5.0)
    waiting.page_breaks_off(name, 6.0)
    assert waiting.take(7.0 + BACK_WITHIN).waiting == 0
