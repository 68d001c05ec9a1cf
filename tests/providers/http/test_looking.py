from __future__ import annotations

import asyncio

from tests.providers.conformance import becomes, begin, refused, sighted, until
from tests.providers.http.cloud import TOKEN
from tests.providers.http.place import HttpPlace

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.providers.base import Handle


async def test_a_state_that_nobody_knows_is_unknown_and_never_off(place: HttpPlace) -> None:
    provider = place.provider()
    await begin(provider, "a")
    place.fake.becomes(place.fake.machines["a"], "contemplating")
    seen = await sighted(provider, "a")
    assert seen is not None
    assert seen.condition is Condition.UNKNOWN
    assert "contemplating" in seen.detail
    place.fake.becomes(place.fake.machines["a"], "running")
    await becomes(provider, "a", Condition.RUNNING)
    assert place.notes == []


async def test_a_page_of_html_is_no_list(place: HttpPlace) -> None:
    provider = place.provider()
    await begin(provider, "a")
    place.fake.weather.broken = 1
    error = await refused(provider.list())
    assert isinstance(error, Temporary)
    assert "HTTP 500" in str(error)
    await becomes(provider, "a", Condition.RUNNING)


async def test_a_cloud_that_wants_to_be_left_alone_is(place: HttpPlace) -> None:
    place.fake.weather.throttled = 1
    place.fake.weather.retry_after = 1
    provider = place.provider()
    begun = clock.now().mono
    error = await refused(provider.list())
    assert isinstance(error, Temporary)
    assert error.delay == 1
    asked = len(place.fake.calls)
    while await refused(provider.list()):
        await asyncio.sleep(0.01)
    assert clock.now().mono - begun >= 1
    assert len(place.fake.calls) == asked + 1


async def test_a_refused_token_is_not_shown_again_and_again(place: HttpPlace) -> None:
    place.fake.weather.token_expired = True
    provider = place.provider({"poll": 30.0})
    for _ in range(5):
        error = await refused(provider.list())
        assert isinstance(error, Permanent)
    assert len(place.fake.calls) == 1
    assert TOKEN not in str(error)


async def test_while_nothing_changes_the_cloud_is_asked_seldom(place: HttpPlace) -> None:
    provider = place.provider({"poll": 30.0, "settle": 0.1})
    first = await sighted(provider, "a")
    asked = len(place.fake.calls)
    for _ in range(5):
        assert await sighted(provider, "a") == first
    assert len(place.fake.calls) == asked


async def test_after_a_call_every_look_asks(place: HttpPlace) -> None:
    provider = place.provider({"poll": 30.0, "settle": 30.0})
    await begin(provider, "a")
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)


async def test_a_connection_that_is_refused_says_where(place: HttpPlace) -> None:
    provider = place.provider(url="http://127.0.0.1:1")
    error = await refused(provider.list())
    assert isinstance(error, Temporary)
    assert "127.0.0.1" in error.hint


async def test_while_something_happens_it_asks_for_another_look(place: HttpPlace) -> None:
    place.fake.weather.start_takes = 1.0
    provider = place.provider()
    await provider.list()
    assert place.changes == 0
    await provider.start("a", {})
    await becomes(provider, "a", Condition.STARTING)
    await until(lambda: place.changes > 0, "another look was asked for")
    await becomes(provider, "a", Condition.RUNNING)
    await provider.close()
    await provider.list()
    before = place.changes
    await asyncio.sleep(0.1)
    assert place.changes == before
    await provider.close()


async def test_another_instance_since_the_journal_was_written_is_told(place: HttpPlace) -> None:
    provider = place.provider(instance="b")
    await provider.adopt({"s-1": Handle("s-1", {"id": "a"})})
    (note,) = place.notes
    assert note.startswith("a was its instance before")
    await becomes(provider, "s-1", Condition.ABSENT)


async def test_while_something_moves_every_look_asks(place: HttpPlace) -> None:
    place.fake.weather.start_takes = 1.0
    provider = place.provider({"poll": 60.0, "settle": 0.05})
    await begin(provider, "a")
    place.fake.weather.stop_takes = 1.0
    place.fake.weather.ignores_stop = True
    await provider.stop("a")
    before = len(place.fake.calls)
    for _ in range(3):
        await asyncio.sleep(0.05)
        await provider.list()
    assert len(place.fake.calls) >= before + 3, "a stop that was accepted and is not seen is looked for"
    place.fake.weather.ignores_stop = False
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)


class TestVast:
    """Whose status has the addresses in it, those of the last life included."""

    dialect_of_the_cloud = "vast"

    async def test_no_values_before_it_runs(self, place: HttpPlace) -> None:
        place.fake.weather.start_takes = 1.0
        provider = place.provider()
        await provider.start("a", {})
        assert (await becomes(provider, "a", Condition.STARTING)).values == {}
        seen = await becomes(provider, "a", Condition.RUNNING)
        assert seen.values == {
            "host": "127.0.0.1",
            "ssh_host": "127.0.0.1",
            "ssh_port": "20001",
            "service": "41234",
        }
        await provider.stop("a")
        assert (await becomes(provider, "a", Condition.ABSENT)).values == {}
