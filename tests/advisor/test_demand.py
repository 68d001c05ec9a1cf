"""The closed form is held against visits that are drawn and played, minute by minute."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from poorwill.advisor.demand import Awake, Visits, awake

HOUR, MINUTE = 3600.0, 60.0
USUAL = Visits(per_day=40, hours=10 * HOUR, visit=5 * MINUTE, idle=10 * MINUTE, wake=MINUTE)


def played(visits: Visits, drawn: int = 30_000, seed: int = 7) -> Awake:
    """The mean of as many days as so many visits take. Who comes while it starts is served after it."""
    fate, days = random.Random(seed), max(200, round(drawn / visits.per_day))
    used = total = starting = wakes = 0.0
    for _ in range(days):
        at, sleeps_at, free_at, busy_until = 0.0, 0.0, 0.0, 0.0
        while (at := at + fate.expovariate(visits.per_day / visits.hours)) < visits.hours:
            if at >= sleeps_at:
                wakes, starting = wakes + 1, starting + visits.wake
                free_at = at + visits.wake
                total += visits.wake
                sleeps_at = free_at
            begin = max(at, free_at)
            end = begin + visits.visit
            used += max(0.0, end - max(begin, busy_until))
            busy_until = max(busy_until, end)
            total += max(0.0, end + visits.idle - sleeps_at)
            sleeps_at = max(sleeps_at, end + visits.idle)
    used, total, starting, wakes = (each / days for each in (used, total, starting, wakes))
    return Awake(used, total - used - starting, starting, wakes)


@pytest.mark.parametrize(
    "visits",
    [
        USUAL,
        replace(USUAL, per_day=4),
        replace(USUAL, per_day=200),
        replace(USUAL, per_day=1),
        replace(USUAL, idle=30 * MINUTE, per_day=12),
        replace(USUAL, wake=6 * MINUTE),
        replace(USUAL, hours=2 * HOUR, per_day=3, idle=3 * HOUR),
        replace(USUAL, wake=0.0, visit=10.0, idle=20.0, per_day=300),
    ],
)
def test_it_is_what_comes_out_when_it_is_played(visits: Visits) -> None:
    expected, mean = awake(visits), played(visits)
    assert expected.total == pytest.approx(mean.total, rel=0.03)
    assert expected.wakes == pytest.approx(mean.wakes, rel=0.04)
    assert expected.starting == pytest.approx(mean.starting, rel=0.04, abs=1)
    if visits.wake <= MINUTE:  # who waits for a long start is served together with the others
        assert expected.used == pytest.approx(mean.used, rel=0.04)
