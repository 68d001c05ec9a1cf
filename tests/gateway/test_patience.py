from __future__ import annotations

import pytest

from poorwill.core.model import Now
from poorwill.gateway.patience import Patience

DAY = 86400.0


def at(mono: float, ahead: float = 0.0) -> Now:
    return Now(wall=1e9 + mono + ahead, mono=mono, boot="boot")


def test_seconds_since_it_began() -> None:
    assert Patience(at(100)).waited(1e9 + 103, at(110)) == pytest.approx(7)


def test_one_that_an_earlier_life_held() -> None:
    assert Patience(at(100)).waited(1e9 + 80, at(101)) == pytest.approx(21)


@pytest.mark.parametrize("ahead", [DAY, -DAY, 5.0, -5.0])
def test_the_clock_was_set_while_it_was_asked(ahead: float) -> None:
    assert Patience(at(100)).waited(1e9 + 109, at(110, ahead)) == pytest.approx(1)


@pytest.mark.parametrize("ahead", [DAY, -DAY])
def test_one_that_came_after_the_clock_was_set(ahead: float) -> None:
    patience = Patience(at(100))
    patience.waited(1e9 + 109, at(110, ahead))
    assert patience.waited(1e9 + 120 + ahead, at(121, ahead)) == pytest.approx(1)


def test_a_clock_that_is_slewed_is_not_set() -> None:
    assert Patience(at(100)).waited(1e9 + 100, at(110, 0.5)) == pytest.approx(10, abs=0.6)
