"""What journals are worth that are old, cut off, written twice, or dated by a clock that was set."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.ledger import lives
from poorwill.core.life import Life
from poorwill.core.model import Now

DAY = 86400.0
ONE = "notes-1"


@dataclass(frozen=True)
class Line:
    id: int
    at: float
    mono: float
    kind: str
    boot: str = "b1"
    service: str = "notes"
    instance: str = ONE
    detail: Mapping[str, Any] = field(default_factory=dict)


def journal(*told: tuple[Any, ...]) -> list[Line]:
    """Lines from (second, kind) or (second, kind, detail); the wall clock is a thousand seconds ahead."""
    numbers = itertools.count(1)
    return [
        Line(next(numbers), 1000.0 + at, float(at), kind, detail=detail[0] if detail else {})
        for at, kind, *detail in told
    ]


def there(life: str = "a", **detail: object) -> dict[str, object]:
    return {"life": life, "since": None, **detail}


def gone(life: str = "a", **detail: object) -> dict[str, object]:
    return {"life": life, "since": None, "until": None, "seen": None, **detail}


def only(*told: tuple[Any, ...], now: float = 5000.0) -> Life:
    (life,) = lives(journal(*told), now)
    return life


def test_from_the_intent_until_it_is_seen_to_be_gone() -> None:
    life = only(
        (10, "start"), (12, "there", there()), (15, "ready"), (90, "stop"), (95, "gone", gone(seen=1093.0))
    )
    assert (life.start, life.end, life.unconfirmed) == (1010.0, 1095.0, 2.0)
    assert (life.payer, life.instance, life.exact) == ("notes", ONE, False)


def test_with_both_timestamps_of_the_provider_nothing_else_counts() -> None:
    life = only(
        (10, "start"), (12, "there", there(since=1011.0)), (95, "gone", gone(since=1011.0, until=1092.5))
    )
    assert (life.start, life.end, life.unconfirmed, life.exact) == (1011.0, 1092.5, 0.0, True)


@pytest.mark.parametrize(
    "until", [1012.0, 1000.0, 99_999.0], ids=["too short", "before it began", "too long"]
)
def test_timestamps_that_contradict_what_was_watched_are_not_believed(until: float) -> None:
    life = only(
        (10, "start"),
        (12, "there", there(since=1011.0)),
        (300, "gone", gone(since=1011.0, until=until, seen=1299.0)),
    )
    assert not life.exact
    assert life.end is not None
    assert 288.0 <= life.end - life.start <= 290.0, "it was seen at 1299"


def test_a_place_whose_clock_is_slow_makes_no_life_shorter_than_it_was_seen() -> None:
    """Also when a restart forgot when it was last seen: it was there when it answered."""
    life = only(
        (10, "start"), (12, "there", there()), (250, "ready"), (300, "gone", gone(until=1000.0 - 40 * 86_400))
    )
    assert life.end is not None
    assert 240.0 <= life.end - life.start <= 290.0


@pytest.mark.parametrize("skew", [-3600.0, 3600.0])
def test_a_provider_whose_clock_is_wrong_makes_no_life_shorter(skew: float) -> None:
    life = only((10, "start"), (12, "there", there()), (95, "gone", gone(until=1092.5 + skew, seen=1090.0)))
    assert (life.start, life.end, life.unconfirmed) == (1010.0, 1095.0, 5.0)


def test_a_start_that_was_refused_costs_nothing() -> None:
    assert not lives(journal((10, "start"), (11, "failed", {"refused": True})), 5000.0)


def test_a_start_that_was_refused_the_second_time_may_have_made_something_the_first() -> None:
    life = only((10, "start"), (20, "start"), (21, "failed", {"refused": True}))
    assert (life.start, life.end, life.unconfirmed) == (1010.0, 1021.0, 11.0)


def test_a_start_of_which_nobody_can_tell_what_came_of_it_lasts_until_it_was_given_up() -> None:
    life = only((10, "start"), (40, "failed"))
    assert (life.start, life.end, life.unconfirmed) == (1010.0, 1040.0, 30.0)


def test_what_others_started_began_when_nothing_was_seen_for_the_last_time() -> None:
    life = only((30, "there", there(absent=1025.0)), (95, "gone", gone(seen=1094.0)))
    assert (life.start, life.end, life.unconfirmed) == (1025.0, 1095.0, 6.0)


def test_but_not_before_the_one_before_it_ended() -> None:
    first, second = lives(
        journal(
            (10, "start"), (12, "there", there()), (30, "gone", gone(seen=1029.0)),
            (30, "there", there("b", absent=1025.0)), (95, "gone", gone("b", seen=1094.0)),
        ),
        5000.0,
    )  # fmt: skip
    assert (first.end, second.start) == (1030.0, 1030.0)


def test_one_life_ends_at_the_latest_when_the_provider_says_that_the_next_began() -> None:
    first, second = lives(
        journal(
            (10, "start"), (12, "there", there()), (30, "gone", gone(seen=1020.0)),
            (30, "there", there("b", since=1024.0, absent=1020.0)),
            (95, "gone", gone("b", since=1024.0, until=1094.0)),
        ),
        5000.0,
    )  # fmt: skip
    assert (first.end, second.start, second.end, second.exact) == (1024.0, 1024.0, 1094.0, True)


def test_what_was_lost_from_sight_and_found_again_was_there_all_the_time() -> None:
    life = only(
        (10, "start"),
        (12, "there", there()),
        (30, "gone", gone()),
        (40, "there", there()),
        (95, "gone", gone()),
    )
    assert (life.start, life.end) == (1010.0, 1095.0)


def test_nobody_knows_that_it_is_over() -> None:
    told = journal((10, "start"), (12, "there", there()), (15, "ready"), (20, "phase", {"phase": "awake"}))
    (life,) = lives(told, 2000.0)
    assert (life.start, life.end, life.unconfirmed) == (1010.0, None, 0.0)
    (life,) = lives(told, 2000.0, watched=False)
    assert life.unconfirmed == 980.0
    down = Line(8, 1400.0, 400.0, "down", service="", instance="")
    (life,) = lives([*told, down], 2000.0)
    assert life.unconfirmed == 600.0
    unknown = Line(9, 1500.0, 500.0, "phase", instance="", detail={"phase": "unknown"})
    (life,) = lives([*told, unknown], 2000.0)
    assert life.unconfirmed == 500.0


def test_the_clock_was_set_while_it_runs() -> None:
    told = journal((10, "start"), (12, "there", there()))
    (life,) = lives(told, 1100.0 + DAY, clock=Now(1100.0 + DAY, 100.0, "b1"))
    assert (life.start, life.end) == (1010.0 + DAY, None)


@pytest.mark.parametrize("step", [DAY, -DAY, 0.0])
def test_a_clock_that_is_set_makes_no_life_longer_or_shorter(step: float) -> None:
    start, seen, end = journal((10, "start"), (12, "there", there()), (95, "gone", gone(seen=1093.0 + step)))
    end = Line(end.id, end.at + step, end.mono, end.kind, detail=end.detail)
    (life,) = lives([start, seen, end], 5000.0)
    assert (life.start, life.end, life.unconfirmed) == (1010.0 + step, 1095.0 + step, 2.0)


@pytest.mark.parametrize(("booted", "length"), [(2000.0, 1040.0), (10.0, 63.0)])
def test_between_two_boots_the_wall_clock_counts_and_never_backwards(booted: float, length: float) -> None:
    told = [
        Line(1, 1000.0, 10.0, "start"),
        Line(2, 1020.0, 30.0, "ready"),
        Line(3, booted, 3.0, "there", boot="b2", detail=there()),
        Line(4, booted + 40.0, 43.0, "gone", boot="b2", detail=gone()),
    ]
    (life,) = lives(told, 5000.0)
    assert life.end == booted + 40.0
    assert life.end - life.start == length - (3.0 if booted == 10.0 else 0.0)


def test_a_clock_that_was_wrong_at_boot_and_then_put_right() -> None:
    told = [
        Line(1, 1000.0, 10.0, "start"),
        Line(2, 5.0, 5.0, "there", boot="b2", detail=there()),
        Line(3, 1500.0, 100.0, "gone", boot="b2", detail=gone()),
    ]
    (life,) = lives(told, 5000.0)
    assert (life.start, life.end) == (1000.0, 1500.0)


# --- journals that are old, or damaged ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ([(10, "start"), (15, "ready"), (90, "stop"), (95, "stopped")], 95),
        ([(10, "start"), (15, "ready"), (95, "crashed")], 95),
        ([(10, "start"), (15, "ready"), (95, "done")], 95),
        ([(10, "start"), (15, "started"), (40, "failed")], 40),
        ([(10, "start"), (40, "failed"), (40, "stop"), (95, "stopped")], 95),
        ([(10, "adopt"), (90, "stop"), (95, "stopped")], 95),
        ([(10, "start"), (15, "ready")], None),
        ([(10, "start"), (40, "failed"), (40, "stop")], None),
        ([(10, "start"), (15, "ready"), (50, "there", there()), (94, "stopped"), (95, "gone", gone())], 95),
    ],
)
def test_before_anybody_wrote_down_what_is_there(told: list[tuple[Any, ...]], until: float | None) -> None:
    life = only(*told)
    assert (life.start, life.end) == (1010.0, None if until is None else 1000.0 + until)


def test_old_lives_one_after_the_other() -> None:
    told = [(10, "start"), (20, "failed"), (30, "start"), (35, "ready"), (50, "crashed"), (60, "start")]
    found = lives(journal(*told), 2000.0)
    assert [(life.start, life.end) for life in found] == [(1010, 1020), (1030, 1050), (1060, None)]


@pytest.mark.parametrize("last", [(95, "gone", gone(seen=1094.0)), (95, "stopped")])
def test_of_a_life_whose_beginning_was_cut_off_everything_since_counts(last: tuple[Any, ...]) -> None:
    cut = Line(0, 1007.0, 7.0, "phase", service="wiki", instance="")
    (life,) = lives([cut, *journal(last)], 5000.0)
    assert (life.start, life.end, life.unconfirmed) == (1007.0, 1095.0, 88.0)


HISTORY = journal(
    (10, "start"), (12, "there", there()), (15, "ready"), (80, "stop"), (95, "gone", gone(seen=1094.0)),
    (95, "stopped"),
    (200, "start"), (203, "failed", {"refused": True}), (300, "there", there("b", absent=1290.0)),
    (400, "gone", gone("b", seen=1399.0)), (500, "start"), (502, "there", there("c", since=1501.0)),
    (600, "gone", gone("c", since=1501.0, until=1598.0)), (600, "crashed"), (700, "start"),
)  # fmt: skip


@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY)))
def test_it_does_not_matter_in_which_order_or_how_often_lines_are_told(
    shuffled: list[Line], again: list[Line]
) -> None:
    assert lives([*shuffled, *again], 2000.0) == lives(HISTORY, 2000.0)


@given(st.integers(0, len(HISTORY)))
def test_a_journal_cut_in_half_still_adds_up(cut: int) -> None:
    """From the cut on, nothing is missing and nothing is there that was not before."""
    whole, rest = lives(HISTORY, 2000.0), HISTORY[cut:]
    begun = rest[0].at if rest else 2000.0
    known = sum(max(0.0, (life.end or 2000.0) - max(life.start, begun)) for life in whole)
    found = lives(rest, 2000.0)
    assert all(life.start >= begun - 10.0 and (life.end or 2000.0) >= life.start for life in found)
    counted = sum((life.end or 2000.0) - life.start for life in found)
    assert known - 1e-6 <= counted <= known + 10.0
