"""Samples of a draw, and the energy that they stand for."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.draw import Drawn, Running, sample

EVERY, WRITE = 10.0, 900.0


def after(*samples: tuple[float, float]) -> tuple[list[Drawn], Running]:
    running: Running | None = None
    written: list[Drawn] = []
    for at, watts in samples:
        running, drawn = sample(running, at, watts, every=EVERY, write_every=WRITE)
        written += drawn
    assert running is not None
    return written, running


def test_an_hour_at_a_kilowatt_is_a_kilowatt_hour() -> None:
    written, running = after(*((10.0 * step, 1000.0) for step in range(361)))
    assert [one.until - one.since for one in written] == [900.0] * 4
    assert sum(one.kwh for one in written) == Decimal(1)
    assert running.ended() == (), "a single sample says nothing"


def test_between_two_samples_it_changes_evenly() -> None:
    _, running = after((0.0, 100.0), (10.0, 300.0), (30.0, 300.0))
    assert running.ended() == (Drawn(0.0, 30.0, 2000.0 + 6000.0),)


def test_a_gap_of_more_than_three_samples_is_not_bridged() -> None:
    written, running = after((0.0, 100.0), (10.0, 100.0), (40.0, 100.0), (70.1, 500.0), (80.1, 500.0))
    assert written == [Drawn(0.0, 40.0, 4000.0)]
    assert running.ended() == (Drawn(70.1, 80.1, 5000.0),)


@given(st.lists(st.tuples(st.floats(1.0, 60.0), st.floats(0.0, 700.0)), min_size=2, max_size=300))
def test_nothing_is_counted_twice_and_only_gaps_are_missing(steps: list[tuple[float, float]]) -> None:
    moment, samples = 0.0, []
    for pause, watts in steps:
        moment += pause
        samples.append((moment, watts))
    written, running = after(*samples)
    written += running.ended()
    true = sum(
        (one + two) / 2 * (then - at)
        for (at, one), (then, two) in itertools.pairwise(samples)
        if then - at <= 3 * EVERY
    )
    assert sum(one.joules for one in written) == pytest.approx(true)
    assert all(one.until <= two.since for one, two in itertools.pairwise(written))
