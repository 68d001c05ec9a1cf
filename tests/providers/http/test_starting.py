from __future__ import annotations

import asyncio

import pytest
from tests.patience import PATIENCE
from tests.providers.conformance import becomes, begin, condition_of, refused, sees
from tests.providers.http.place import HttpPlace

from poorwill.core.model import Condition
from poorwill.errors import NoCapacity, Permanent, Temporary

ALONE = {"instance": "a"}
"""One instance by its id, as most people have it; Poorwill calls it s-1."""


async def test_one_instance_by_its_id(place: HttpPlace) -> None:
    provider = place.provider(**ALONE)
    assert (await becomes(provider, "s-1", Condition.ABSENT)).detail == "AutoDL: shutdown"
    handle = await provider.start("s-1", {})
    assert handle.data == {"id": "a"}
    seen = await becomes(provider, "s-1", Condition.RUNNING)
    assert seen.values["ssh_port"] == "20001"
    assert place.fake.machines["b"].starts == 0


async def test_its_name_comes_from_the_journal(place: HttpPlace) -> None:
    provider = place.provider(**ALONE)
    handle = await provider.start("gpu", {})
    restarted = place.provider(**ALONE)
    await restarted.adopt({"gpu": handle})
    await becomes(restarted, "gpu", Condition.RUNNING)


async def test_the_address_of_each_start_is_another(place: HttpPlace) -> None:
    provider = place.provider()
    first = await begin(provider, "a")
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)
    second = await begin(provider, "a")
    assert first.values != second.values
    assert second.values["service_6006_domain"] == "u2-a.example.com:8443"


async def test_a_password_in_an_answer_goes_nowhere(place: HttpPlace) -> None:
    seen = await begin(place.provider(), "a")
    assert "do-not-show-me" not in repr(seen)


async def test_no_values_before_it_runs(place: HttpPlace) -> None:
    place.fake.weather.start_takes = 1.0
    provider = place.provider()
    await provider.start("a", {})
    assert (await becomes(provider, "a", Condition.STARTING)).values == {}


async def test_what_runs_is_not_started_again(place: HttpPlace) -> None:
    place.fake.power_on(place.fake.machines["a"])
    provider = place.provider()
    await becomes(provider, "a", Condition.RUNNING)
    await provider.start("a", {})
    assert place.fake.asked("start") == 0


async def test_a_status_that_lags_behind_starts_nothing_twice(place: HttpPlace) -> None:
    place.fake.weather.lag = 0.5
    provider = place.provider({"settle": 30.0})
    for _ in range(3):
        await provider.start("a", {})
        assert await condition_of(provider, "a") is Condition.ABSENT
    await becomes(provider, "a", Condition.RUNNING)
    assert place.fake.machines["a"].starts == place.fake.asked("start") == 1
    assert place.notes == []


async def test_a_start_that_was_accepted_and_never_happens_is_asked_for_again(place: HttpPlace) -> None:
    place.fake.weather.ignores_start = True
    provider = place.provider({"settle": 0.1})
    await provider.start("a", {})
    place.fake.mend()
    async with asyncio.timeout(PATIENCE):
        while place.fake.asked("start") < 2:
            await provider.start("a", {})
    await becomes(provider, "a", Condition.RUNNING)


async def test_a_start_whose_answer_is_lost_is_found_by_looking(place: HttpPlace) -> None:
    place.fake.weather.hangs_start = True
    provider = place.provider({"timeout": 0.3})
    error = await refused(provider.start("a", {}))
    assert type(error).__mro__[1] is Temporary
    assert "has not answered for 0.3 s" in str(error)
    await provider.start("a", {})
    await becomes(provider, "a", Condition.RUNNING)
    assert place.fake.machines["a"].starts == place.fake.asked("start") == 1
    assert place.notes == []


async def test_nothing_in_stock(place: HttpPlace) -> None:
    place.fake.weather.no_stock = True
    provider = place.provider()
    for _ in range(2):
        error = await refused(provider.start("a", {}))
        assert isinstance(error, NoCapacity)
        assert error.delay == 120
        assert "库存不足" in str(error)
    assert any("库存不足" in line for line in await provider.log_tail("a", 3))
    place.fake.mend()
    await begin(provider, "a")


async def test_nothing_in_stock_for_too_long(place: HttpPlace) -> None:
    place.fake.weather.no_stock = True
    provider = place.provider(give_up="200ms")
    asked = 0
    async with asyncio.timeout(PATIENCE):
        while isinstance(error := await refused(provider.start("a", {})), NoCapacity):
            asked += 1
            await asyncio.sleep(0.01)
    assert isinstance(error, Permanent)
    assert "given up" in str(error)
    assert asked > 0
    # Later it is asked again, and gives up after as long again.
    assert isinstance(await refused(provider.start("a", {})), NoCapacity)


async def test_a_wrong_token_is_a_matter_for_a_person(place: HttpPlace) -> None:
    place.fake.weather.token_expired = True
    error = await refused(place.provider().start("a", {}))
    assert isinstance(error, Permanent)
    assert "登录超时" in str(error)
    assert "developer token" in error.hint


@pytest.mark.parametrize("instance", ["never-was", "a b/../c?d=1"])
async def test_an_instance_that_the_cloud_does_not_know(place: HttpPlace, instance: str) -> None:
    provider = place.provider(instance=instance)
    error = await refused(provider.start("s-1", {}))
    assert isinstance(error, Permanent)
    assert "id right" in error.hint
    assert await refused(provider.list())
    await provider.stop("s-1")


async def test_what_is_still_being_stopped_is_not_started(place: HttpPlace) -> None:
    provider = place.provider()
    await begin(provider, "a")
    place.fake.weather.stop_takes = 1.0
    await provider.stop("a")
    error = await refused(provider.start("a", {}))
    assert isinstance(error, Temporary)
    await becomes(provider, "a", Condition.ABSENT)
    await begin(provider, "a")


async def test_what_is_in_an_unknown_state_is_not_started(place: HttpPlace) -> None:
    place.fake.becomes(place.fake.machines["a"], "failed")
    provider = place.provider()
    seen = await sees(provider, "a", lambda seen: seen.condition is Condition.UNKNOWN, "unknown")
    assert "failed" in seen.detail
    assert await refused(provider.start("a", {}))
    assert place.fake.asked("start") == 0
