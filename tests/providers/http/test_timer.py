from __future__ import annotations

from typing import Any

import pytest
from tests.providers.conformance import becomes, begin
from tests.providers.http.place import HttpPlace

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.http import HttpProvider
from poorwill.providers.http.calls import Timer

TIMER = Timer.model_validate(
    {
        "method": "POST",
        "url": "/timer/{instance}",
        "body": {"in": "{minutes:int}", "at": "{unix:int}", "for": "{seconds}"},
    }
)


def _with_timer(place: HttpPlace, **options: Any) -> HttpProvider:
    return place.provider({"timer": TIMER}, **options)


def _timers(place: HttpPlace) -> list[Any]:
    return [call.body for call in place.fake.calls if call.path.startswith("/timer/")]


async def test_it_is_set_when_an_instance_runs_and_not_at_every_look(place: HttpPlace) -> None:
    place.fake.dialect_timer = True
    provider = _with_timer(place, timer="12h")
    assert _timers(place) == []
    await begin(provider, "a")
    await provider.list()
    (body,) = _timers(place)
    assert (body["in"], body["for"]) == (720, "43200")
    assert abs(body["at"] - clock.now().wall - 43_200) < 60
    assert place.notes == []


async def test_it_is_set_anew_for_the_next_life(place: HttpPlace) -> None:
    place.fake.dialect_timer = True
    provider = _with_timer(place, timer="12h")
    await begin(provider, "a")
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)
    await begin(provider, "a")
    assert len(_timers(place)) == 2


async def test_it_is_set_again_at_half_time(place: HttpPlace) -> None:
    place.fake.dialect_timer = True
    provider = _with_timer(place, timer="1h")
    await begin(provider, "a")
    provider._switch.due["a"] -= 1799
    await provider.list()
    assert len(_timers(place)) == 1
    provider._switch.due["a"] -= 2
    await provider.list()
    assert len(_timers(place)) == 2


async def test_that_it_cannot_be_set_is_noted_and_hinders_nothing(place: HttpPlace) -> None:
    provider = _with_timer(place, timer="12h")
    await begin(provider, "a")
    await provider.list()
    (note,) = place.notes
    assert "shutdown timer is not set" in note


async def test_a_cloud_without_one(place: HttpPlace) -> None:
    provider = place.provider()
    assert not provider.has_timer
    with pytest.raises(Permanent, match="no shutdown timer"):
        await provider.set_timer("a", 60)
