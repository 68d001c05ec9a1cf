from __future__ import annotations

import asyncio
import json

import pytest
from tests.patience import PATIENCE
from tests.providers.conformance import becomes, begin, condition_of, end, refused, sighted
from tests.providers.http.place import HttpPlace

from poorwill.core.model import Condition
from poorwill.providers.http.lives import Lives, Record


async def test_accepted_is_not_done(place: HttpPlace) -> None:
    provider = place.provider()
    await begin(provider, "a")
    place.fake.weather.stop_takes = 1.0
    await provider.stop("a")
    assert (await becomes(provider, "a", Condition.STOPPING)).values == {}
    await becomes(provider, "a", Condition.ABSENT)
    assert place.notes == []


async def test_a_stop_that_is_ignored_while_it_starts(place: HttpPlace) -> None:
    place.fake.weather.start_takes = 1.0
    place.fake.weather.ignores_stop_while_starting = True
    provider = place.provider()
    await provider.start("a", {})
    await becomes(provider, "a", Condition.STARTING)
    await provider.stop("a")
    assert await condition_of(provider, "a") is Condition.STARTING
    await becomes(provider, "a", Condition.RUNNING)
    await end(provider, "a")
    assert place.fake.asked("stop") >= 2


async def test_a_stop_that_is_accepted_and_does_nothing(place: HttpPlace) -> None:
    place.fake.weather.ignores_stop = True
    provider = place.provider()
    first = await begin(provider, "a")
    for _ in range(3):
        await provider.stop("a")
        seen = await sighted(provider, "a")
        assert seen is not None
        assert (seen.condition, seen.life) == (Condition.RUNNING, first.life)
    place.fake.mend()
    await end(provider, "a")


async def test_a_stop_of_what_is_off_is_fine_although_the_cloud_complains(place: HttpPlace) -> None:
    provider = place.provider()
    await provider.stop("a")
    assert place.fake.asked("stop") == 1


async def test_a_stop_that_is_refused_while_it_runs_is_an_error(place: HttpPlace) -> None:
    provider = place.provider()
    await begin(provider, "a")
    place.fake.machines["a"].state = "locked"
    error = await refused(provider.stop("a"))
    assert "it is locked" in str(error)


async def test_somebody_else_did_it_while_nobody_looked(place: HttpPlace) -> None:
    provider = place.provider()
    await begin(provider, "a")
    await provider.close()
    place.fake.power_off(place.fake.machines["a"])
    await becomes(place.provider(), "a", Condition.ABSENT)
    assert place.notes == ["a: it is off (shutdown), and it was not Poorwill who stopped it"]


async def test_what_is_deleted_after_long_sleep_is_told_once_a_day(place: HttpPlace) -> None:
    provider = place.provider()
    await becomes(provider, "a", Condition.ABSENT)
    lives = Lives(place.folder / "state")
    before = lives.get("a")
    assert before.off_since is not None
    lives.put("a", Record(seen=True, off_since=before.off_since - 13 * 86_400))
    for _ in range(3):
        await provider.list()
    (note,) = place.notes
    assert "off for 13d" in note
    assert "in about 2d" in note


@pytest.mark.parametrize("kept", ["", "{", '{"no": 1}', json.dumps([1])])
async def test_what_is_remembered_may_be_damaged(place: HttpPlace, kept: str) -> None:
    provider = place.provider()
    await begin(provider, "a")
    (place.folder / "state" / "a.life").write_text(kept)
    assert (await becomes(place.provider(), "a", Condition.RUNNING)).life
    await end(provider, "a")


async def test_what_cannot_be_remembered_is_still_known(place: HttpPlace) -> None:
    (place.folder / "state").write_text("a file where a folder should be")
    provider = place.provider()
    first = await begin(provider, "a")
    await end(provider, "a")
    assert (await begin(provider, "a")).life != first.life


async def test_a_second_stop_is_refused_while_the_first_does_not_show_yet(place: HttpPlace) -> None:
    provider = place.provider({"settle": 0.4})
    await begin(provider, "a")
    place.fake.weather.lag = 0.3
    place.fake.weather.stop_takes = 0.1
    await provider.stop("a")
    assert await condition_of(provider, "a") is Condition.RUNNING
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)
    assert place.notes == []


async def test_a_stop_that_was_accepted_excuses_no_refusal_for_ever(place: HttpPlace) -> None:
    provider = place.provider({"settle": 0.1})
    await begin(provider, "a")
    place.fake.weather.ignores_stop = True
    await provider.stop("a")
    place.fake.mend()
    place.fake.machines["a"].state = "locked"
    async with asyncio.timeout(PATIENCE):
        while await refused(provider.stop("a")) is None:
            await asyncio.sleep(0.01)
