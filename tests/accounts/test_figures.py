"""The figures of a service, against a day that was reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.timetables import wall

from poorwill.accounts.awake import awake
from poorwill.accounts.figures import figures
from poorwill.accounts.record import Record
from poorwill.core.bill import Line
from poorwill.core.life import Life
from poorwill.core.model import Service
from poorwill.core.period import Per, period_of
from poorwill.core.spans import both, total
from poorwill.core.stretch import Stretch
from poorwill.store.event import Event, Kind

DAY = wall("2026-10-05 00:00")  # a Monday
MONTH = period_of(Per.MONTH, DAY, "UTC")


def hour(value: float) -> float:
    return DAY + value * 3600


def event(at: float, kind: Kind, instance: str = "kb-1", **detail: float) -> Event:
    return Event(int(10 * at), hour(at), 0.0, "boot", kind, "kb", instance, f"it is {kind}", detail)


LIVES = (
    Life("kb", "kb-1", hour(9), hour(12.5)),
    Life("kb", "kb-1", hour(15), hour(15.25)),
    Life("kb", "kb-1", hour(23), None),
    Life("other", "other-1", hour(0), None),
)
EVENTS = (
    event(9, Kind.WOKEN, ""),
    event(9.1, Kind.READY, seconds=360),
    event(12.4, Kind.STOP),
    event(15.2, Kind.FAILED),  # never ready
    event(23.5, Kind.READY),
    event(18, Kind.DEBT),
    event(18.5, Kind.SETTLED, seconds=2000),
    event(19, Kind.DEBT, "kb-2"),
)
STRETCHES = (
    Stretch("kb", hour(9), hour(9.5), 3, 1, 360.0, 360.0),
    Stretch("kb", hour(9.4), hour(9.6), 2, 1, 40.0, 40.0),
    Stretch("kb", hour(10), hour(10.25), 5, gave_up=1, refused=2),
    Stretch("kb", hour(-800), hour(-799), 50),  # the month before
    Stretch("other", hour(11), hour(12), 7),
)
RECORD = Record(
    period=MONTH,
    now=hour(24),
    known_from=MONTH.start - 1,
    use_from=MONTH.start - 1,
    lives=LIVES,
    stretches=STRETCHES,
    events=EVENTS,
    lines=(
        Line("kb", "service", 4.75 * 3600, 4.75 * 3600, Decimal("18.525"), "CNY", 3.0, 3),
        Line("kb", "service", 3600, 3600, Decimal(1), "USD"),
        Line("other", "service", 1, 1, None, ""),
    ),
    before=(Line("kb", "service", 7200, 7200, Decimal("7.8"), "CNY"),),
    services={"kb": Service("kb")},
)


def test_a_day() -> None:
    found = figures(RECORD, "kb")
    assert (found.there, found.starts, found.cold) == (5.75 * 3600, 3, 1)
    assert found.amounts == {"CNY": Decimal("18.525"), "USD": Decimal(1)}
    assert (found.before, found.before_amounts) == (7200, {"CNY": Decimal("7.8")})
    # 9.1 to 12.4 and 23.5 to 24; the second life never answered.
    assert found.up == pytest.approx(3.8 * 3600)
    assert found.switching == pytest.approx((3.5 + 0.25 + 1 - 3.8) * 3600)


def test_its_visitors() -> None:
    visits = figures(RECORD, "kb").visits
    assert visits is not None
    assert visits.requests == 10
    assert visits.used == pytest.approx((0.6 + 0.25) * 3600)
    # Awake from 9.1: used to 9.6 and from 10 to 10.25.
    assert visits.empty == pytest.approx((3.8 - 0.5 - 0.25) * 3600)
    assert visits.empty_hours == 1  # from 11 to 12
    assert [span[0] for span in visits.idle] == pytest.approx([hour(10.25), hour(23.5), hour(9.6)])
    waiting = visits.waiting
    assert (waiting.waited, waiting.seconds, waiting.longest, waiting.mean) == (2, 400.0, 360.0, 200.0)
    assert (waiting.gave_up, waiting.refused) == (1, 2)
    assert visits.heat[0][9].used == pytest.approx(0.6 * 3600)
    assert visits.heat[0][11].empty == 3600


def test_what_went_wrong() -> None:
    found = figures(RECORD, "kb").troubles
    assert [(one.kind, one.seconds) for one in found] == [("failed", None), ("debt", 2000.0), ("debt", None)]


def test_where_nothing_was_written_down_about_visitors() -> None:
    assert figures(replace(RECORD, use_from=None), "kb").visits is None
    assert figures(RECORD, "other").visits is None  # a job, or not in the configuration any more


def test_two_instances_are_empty_each_for_itself() -> None:
    lives = (Life("kb", "kb-1", hour(9), hour(10)), Life("kb", "kb-2", hour(9), hour(10)))
    record = replace(RECORD, lives=lives, events=(), stretches=(Stretch("kb", hour(9), hour(9.25)),))
    visits = figures(record, "kb").visits
    assert visits is not None
    assert (visits.used, visits.empty) == (900.0, 2 * 2700.0)


def test_a_life_of_which_little_is_known_could_be_used_all_the_time() -> None:
    found = awake([Life("kb", "kb-1", hour(1), hour(3))], [], hour(0), hour(2))
    assert (found.up, found.switching) == (3600, 0)


def test_what_somebody_started_by_hand_and_nobody_used() -> None:
    """It never answered a probe, because nobody asked; until it was stopped it ran for nothing."""
    life = Life("kb", "kb-1", hour(9), hour(10))
    record = replace(RECORD, lives=(life,), events=(event(9.9, Kind.STOP),), stretches=())
    record = replace(record, lines=(Line("kb", "service", 3600, 3600, None, ""),))
    found = figures(record, "kb")
    assert found.visits is not None
    assert (found.up, found.switching) == pytest.approx((0.9 * 3600, 0.1 * 3600))
    assert found.visits.empty == pytest.approx(0.9 * 3600)
    ours = replace(record, events=(event(9, Kind.START), *record.events))
    assert figures(ours, "kb").up == 0  # a start that was called off


def test_a_start_before_does_not_make_the_next_life_ours() -> None:
    lives = (Life("kb", "kb-1", hour(8), hour(8.9)), Life("kb", "kb-1", hour(8.91), hour(10)))
    events = [event(8.89, Kind.START), event(8.895, Kind.READY), event(9.5, Kind.STOP)]
    found = awake(lives, events, hour(0), hour(24))
    assert found.up == pytest.approx((0.005 + 0.59) * 3600)


@pytest.mark.parametrize(
    ("reason", "seconds", "told"),
    [
        ("it was asked to stop and is still there", 7.0, False),
        ("it was asked to stop and is still there", 130.0, True),
        ("the stop failed: 503", 7.0, True),
        ("nobody needs it, and it is not stopped, because Poorwill did not start it", 232.0, True),
    ],
)
def test_an_ordinary_stop_is_nothing_that_went_wrong(reason: str, seconds: float, *, told: bool) -> None:
    debt = replace(event(18, Kind.DEBT), reason=reason)
    settled = event(18.5, Kind.SETTLED, seconds=seconds)
    assert bool(figures(replace(RECORD, events=(debt, settled)), "kb").troubles) is told


HOURS = st.integers(0, 48)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(HOURS, st.integers(1, 9), st.integers(0, 3)), max_size=4),
    st.lists(st.tuples(HOURS, st.integers(1, 9)), max_size=6),
)
def test_what_must_hold_of_any_month(born: list[tuple[int, int, int]], used: list[tuple[int, int]]) -> None:
    """A life is used, empty or on its way; nothing is lost between them, and a heat map has all of it."""
    lives, events, end = [], [], 0
    for start, length, boot in sorted(born):
        if start > end:
            end = start + length
            lives.append(Life("kb", "kb-1", hour(start), hour(end)))
            events.append(event(start + min(boot, length), Kind.READY))
    there = sum((life.end or 0.0) - life.start for life in lives)
    stretches = tuple(Stretch("kb", hour(start), hour(start + length)) for start, length in used)
    line = Line("kb", "service", there, there, None, "")
    record = replace(
        RECORD, now=hour(72), lives=lives, events=events, stretches=stretches, lines=(line,), before=()
    )
    found = figures(record, "kb")
    visits = found.visits
    assert visits is not None
    assert found.up + found.switching == pytest.approx(there)
    up = awake(lives, events, MONTH.start, hour(72)).spans
    busy = both(up, [(one.start, one.end) for one in stretches])
    assert visits.empty + total(busy) == pytest.approx(found.up)
    cells = [cell for day in visits.heat for cell in day]
    assert sum(cell.used for cell in cells) == pytest.approx(visits.used)
    assert sum(cell.empty for cell in cells) == pytest.approx(visits.empty)
    assert visits.empty_hours * 3600 <= visits.empty
    assert all(cell.used + cell.empty <= cell.seconds for cell in cells)
    lengths = [last - first for first, last in visits.idle]
    assert lengths == sorted(lengths, reverse=True)
