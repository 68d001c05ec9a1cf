"""Instances that end without our asking: by their own fault, by their own decision, by somebody's hand."""

from __future__ import annotations

import pytest
from tests.providers.conformance.place import Place, needs
from tests.providers.conformance.waiting import becomes, begin, end, sees, through_json, until

from poorwill.core.model import Condition
from poorwill.providers.base import Provider, Sighting


def _notices(provider: Provider) -> bool:
    """Whether it hears of changes by itself, rather than by being asked for a list."""
    return getattr(provider, "notices", True)


async def _over(provider: Provider) -> Sighting:
    return await sees(
        provider,
        "a",
        lambda seen: seen.condition is Condition.ABSENT and seen.exit_code is not None,
        "absent with an exit code",
    )


class Ending:
    async def test_a_crash_is_told(self, place: Place) -> None:
        provider = place.provider()
        sighting = await begin(provider, "a")
        before = place.changes
        await place.crash(sighting)
        if _notices(provider):
            await until(lambda: place.changes > before, "changed was called")
        assert (await becomes(provider, "a", Condition.ABSENT)).detail

    async def test_a_crashed_one_starts_again(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await place.crash(first)
        await becomes(provider, "a", Condition.ABSENT)
        assert (await begin(provider, "a")).life != first.life

    @needs("exit_code")
    @pytest.mark.parametrize("code", [0, 3])
    async def test_one_that_ends_by_itself_tells_its_exit_code(self, place: Place, code: int) -> None:
        await place.ends_with(code)
        provider = place.provider()
        await provider.start("a", await provider.prepare("a"))
        over = await _over(provider)
        assert over.exit_code == code
        assert over.detail

    @needs("exit_code")
    async def test_the_exit_code_outlives_a_restart(self, place: Place) -> None:
        await place.ends_with(3)
        first = place.provider()
        handle = await first.start("a", await first.prepare("a"))
        await first.close()
        restarted = place.provider()
        await restarted.adopt({"a": through_json(handle)})
        assert (await _over(restarted)).exit_code == 3

    @needs("exit_code")
    async def test_the_next_life_has_no_exit_code_yet(self, place: Place) -> None:
        await place.ends_with(3)
        provider = place.provider()
        await provider.start("a", await provider.prepare("a"))
        await _over(provider)
        await place.mend()
        assert (await begin(provider, "a")).exit_code is None

    @needs("stop_outside")
    async def test_a_stop_by_somebody_else_is_told_and_noted(self, place: Place) -> None:
        provider = place.provider()
        sighting = await begin(provider, "a")
        before, noted = place.changes, len(place.notes)
        await place.stop_outside(sighting)
        if _notices(provider):
            await until(lambda: place.changes > before, "changed was called")
        assert (await becomes(provider, "a", Condition.ABSENT)).detail
        await until(lambda: len(place.notes) > noted, "a note for the journal")
        assert all(place.notes[noted:])

    @needs("start_outside")
    async def test_a_start_by_somebody_else_is_told_and_noted(self, place: Place) -> None:
        provider = place.provider()
        await provider.adopt({})
        await becomes(provider, "a", Condition.ABSENT)
        before, noted = place.changes, len(place.notes)
        await place.start_outside("a")
        if _notices(provider):
            await until(lambda: place.changes > before, "changed was called")
        found = await becomes(provider, "a", Condition.RUNNING)
        await until(lambda: len(place.notes) > noted, "a note for the journal")
        await provider.start("a", await provider.prepare("a"))
        assert (await becomes(provider, "a", Condition.RUNNING)).life == found.life
        await end(provider, "a")

    async def test_what_we_do_ourselves_is_not_noted(self, place: Place) -> None:
        provider = place.provider()
        await begin(provider, "a")
        noted = len(place.notes)
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)
        await provider.list()
        assert place.notes[noted:] == []
