"""The suite itself: it finds what is wrong with a provider, and it leaves out nothing without a reason."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ConfigDict
from tests.providers.conformance import ProviderConformance, steady, waiting
from tests.providers.fake_place import FakePlace

from poorwill.errors import ProviderError
from poorwill.providers.base import Handle, Sighting
from poorwill.providers.fake import FakeProvider, Options
from poorwill.providers.process import ProcessProvider

real = FakeProvider.list


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePlace]:
    monkeypatch.setattr(waiting, "DEADLINE", 0.5)
    place = FakePlace(tmp_path)
    yield place
    await place.close()


async def _silent(self: FakeProvider) -> list[Sighting]:
    try:
        return await real(self)
    except ProviderError:
        return []


async def _blocking(self: FakeProvider) -> list[Sighting]:
    time.sleep(0.8)  # noqa: ASYNC251  # the fault
    return await real(self)


async def _codeless(self: FakeProvider) -> list[Sighting]:
    return [replace(seen, exit_code=None) for seen in await real(self)]


async def _lifeless(self: FakeProvider) -> list[Sighting]:
    return [replace(seen, life="always the same") for seen in await real(self)]


async def _hasty(self: FakeProvider) -> list[Sighting]:
    return await self._processes.list()


async def _forgetful(self: FakeProvider, known: Any) -> None:
    pass


async def _handle_of_bytes(self: FakeProvider, instance: str, prepared: Any) -> Handle:
    return Handle(instance, {"pid": b"1"})


async def _does_nothing(self: FakeProvider, instance: str) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "fault", "test"),
    [
        ("list", _silent, "test_not_to_know_is_not_absence"),
        ("list", _silent, "test_after_a_restart_not_to_know_is_not_absence_either"),
        ("list", _blocking, "test_nothing_blocks_the_loop"),
        ("list", _codeless, "test_the_exit_code_outlives_a_restart"),
        ("list", _lifeless, "test_each_life_has_its_name"),
        ("list", _hasty, "test_a_slow_start_is_waited_for"),
        ("_take_over", _forgetful, "test_takes_over_what_was_never_journalled"),
        ("start", _handle_of_bytes, "test_what_is_prepared_and_handled_survives_json"),
        ("stop", _does_nothing, "test_starts_and_stops"),
        ("stop", _does_nothing, "test_a_stop_that_hangs_can_be_given_up"),
    ],
)
async def test_finds_the_fault(
    place: FakePlace, monkeypatch: pytest.MonkeyPatch, name: str, fault: object, test: str
) -> None:
    monkeypatch.setattr(FakeProvider, name, fault)
    with pytest.raises((AssertionError, pytest.fail.Exception, TypeError, TimeoutError)):
        await getattr(ProviderConformance(), test)(place)


@pytest.mark.parametrize("what", ["stop", "start"])
async def test_a_change_by_somebody_else_must_be_noted(place: FakePlace, what: str) -> None:
    place.notes = _Deaf()
    with pytest.raises(pytest.fail.Exception, match="a note for the journal"):
        await getattr(ProviderConformance(), f"test_a_{what}_by_somebody_else_is_told_and_noted")(place)


class _Deaf(list[str]):
    def append(self, words: str) -> None:
        pass


@pytest.mark.parametrize("kind", [Options, ProcessProvider.Options])
def test_open_options_are_refused(place: FakePlace, monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    class Open(kind):  # type: ignore[misc]  # a model that takes anything
        model_config = ConfigDict(extra="ignore")

    monkeypatch.setattr(FakeProvider, "Options", Open)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        ProviderConformance().test_every_section_of_its_options_is_closed_and_explained(place)


def test_what_a_place_cannot_do_has_no_tests() -> None:
    class Less(ProviderConformance):
        cannot: ClassVar = {"slow": "it is always quick"}

    class Least(Less):
        cannot: ClassVar = {**Less.cannot, "dark": "it always answers"}

    assert Less.test_a_slow_start_is_waited_for is None
    assert Less.test_not_to_know_is_not_absence is not None
    assert Least.test_a_slow_start_is_waited_for is None
    assert Least.test_not_to_know_is_not_absence is None
    assert ProviderConformance.test_a_slow_start_is_waited_for is not None


@pytest.mark.parametrize(
    "cannot", [{}, {"dark": ""}, {"dark": "it always answers", "slow": "it can do that after all"}]
)
def test_what_is_missing_needs_a_reason(place: FakePlace, cannot: dict[str, str]) -> None:
    place.abilities = place.abilities - {"dark"}  # type: ignore[misc]  # this one has fewer
    said = type("Said", (ProviderConformance,), {"cannot": cannot})()
    with pytest.raises(AssertionError):
        said.test_says_what_it_cannot_do(place)
    honest = type("Honest", (ProviderConformance,), {"cannot": {"dark": "it always answers"}})()
    honest.test_says_what_it_cannot_do(place)


async def test_a_loop_that_stands_still_is_seen() -> None:
    with pytest.raises(AssertionError, match="stood still"):
        async with steady():
            time.sleep(0.8)  # noqa: ASYNC251  # the fault
