"""Scripts on a machine that went away: nobody but Poorwill remembers what ran there."""

from __future__ import annotations

import asyncio

import pytest
from tests.providers.conformance import sighted, until
from tests.providers.script_place import ScriptPlace

from poorwill.core.model import Condition
from poorwill.errors import Temporary
from poorwill.providers.base import Handle


async def condition(place: ScriptPlace) -> Condition:
    seen = await sighted(place.providers[-1], "a")
    return seen.condition if seen else Condition.ABSENT


async def test_it_is_started_again_even_without_a_status_script(place: ScriptPlace) -> None:
    provider = place.provider(status=None)
    first = await provider.start("a", {})
    assert await provider.start("a", {}) == first
    await provider.lost()
    seen = await sighted(provider, "a")
    assert seen is None or (seen.condition, seen.detail) == (
        Condition.ABSENT,
        "the machine it ran on went away",
    )
    assert await provider.start("a", {}) != first
    assert place.starts() == ["a", "a"]


async def test_a_later_life_of_the_control_plane_knows_it_too(place: ScriptPlace) -> None:
    handle = await place.provider(status=None).start("a", {})
    await place.providers[-1].lost()
    again = place.provider(status=None)
    await again.adopt({"a": handle, "b": Handle("b")})
    assert await condition(place) is Condition.ABSENT


async def test_a_start_that_was_under_way_brings_nothing_back(place: ScriptPlace) -> None:
    place.script("start", "#!/bin/sh\ntouch begun\nwhile [ ! -e over ]; do sleep 0.02; done\n")
    provider = place.provider(status=None)
    starting = asyncio.create_task(provider.start("a", {}))
    await until((place.folder / "begun").exists, "it starts")
    await provider.lost()
    (place.folder / "over").touch()
    await starting
    assert await condition(place) is Condition.ABSENT


@pytest.mark.parametrize("stop", ["exit 6", "exit 0"])
async def test_a_stop_that_was_under_way_brings_nothing_back(place: ScriptPlace, stop: str) -> None:
    place.script("stop", f"#!/bin/sh\ntouch begun\nwhile [ ! -e over ]; do sleep 0.02; done\n{stop}\n")
    provider = place.provider(status=None)
    await provider.start("a", {})
    stopping = asyncio.create_task(provider.stop("a"))
    await until((place.folder / "begun").exists, "it stops")
    await provider.lost()
    (place.folder / "over").touch()
    await stopping
    assert await condition(place) is Condition.ABSENT


async def test_nor_does_one_whose_connection_was_lost(
    place: ScriptPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = place.provider(status=None)
    await provider.start("a", {})

    async def cut_off(*_: object, **__: object) -> None:
        await provider.lost()
        raise Temporary("the connection was lost")

    monkeypatch.setattr(provider._shell, "run", cut_off)
    with pytest.raises(Temporary, match="the connection was lost"):
        await provider.stop("a")
    assert await condition(place) is Condition.ABSENT
