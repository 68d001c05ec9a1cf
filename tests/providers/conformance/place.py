"""What the suite asks of a place, and how a place says that it cannot do something.

Nothing is ever skipped: what a place cannot do is declared with a reason, and its tests do not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol, TypeVar

from poorwill.providers.base import Provider, Sighting

ABILITIES: Mapping[str, str] = {
    "several": "three `instances` can exist at the same time",
    "log": "instances print a line with the word `hello` when they start, and it can be read",
    "slow": "slow_start",
    "exit_code": "ends_with",
    "refuse_start": "refuse_start",
    "refuse_stop": "refuse_stop",
    "hang_stop": "hang_stop",
    "start_outside": "start_outside",
    "stop_outside": "stop_outside",
    "dark": "go_dark",
}
"""Ability → what it means, or the method of ``Place`` that it promises."""

NAMES = ("a", "b", "c")

F = TypeVar("F", bound=Callable[..., object])


class Place(Protocol):
    """One service in one kind of place, as the suite needs it. Its instances run until stopped.

    What changes the weather (``slow_start`` and the like) is called before the instances concerned are
    started, and holds for providers that exist already as well, until ``mend``.
    """

    abilities: frozenset[str]
    """Which of ``ABILITIES`` it has; the test class says in ``cannot`` why it lacks the others."""

    instances: tuple[str, str, str]
    """Three that can be there at once; where any name will do, ``NAMES``."""

    changes: int
    """How often a provider of this place called ``changed``."""

    notes: list[str]
    """What providers of this place told by ``note``."""

    def provider(self) -> Provider:
        """A new provider object for the same service, as a restarted control plane would build it."""

    async def crash(self, sighting: Sighting) -> None:
        """Make a running instance end without asking its provider, as if by its own fault."""

    async def slow_start(self, seconds: float) -> None:
        """Instances are RUNNING no earlier than so long after ``start`` was called. It may return at once."""

    async def ends_with(self, code: int) -> None:
        """Instances end by themselves, soon after they started, with this exit code."""

    async def refuse_start(self) -> None:
        """Starts fail: ``start`` raises a ProviderError, or the instance is soon ABSENT with a detail."""

    async def refuse_stop(self) -> None:
        """Stops fail: ``stop`` raises a ProviderError, or returns, and the instance is still there."""

    async def hang_stop(self) -> None:
        """``stop`` does not return by itself. After ``mend`` a new one works."""

    async def start_outside(self, instance: str) -> None:
        """Somebody else starts it."""

    async def stop_outside(self, sighting: Sighting) -> None:
        """Somebody else stops it, as people stop such things in this place."""

    async def go_dark(self) -> None:
        """Nobody can learn what runs: ``list`` raises a ProviderError."""

    async def mend(self) -> None:
        """Everything is kind again, for instances that exist as well."""


def needs(*abilities: str) -> Callable[[F], F]:
    """Marks a test that only makes sense where the place has these abilities."""
    assert ABILITIES.keys() >= set(abilities)

    def mark(test: F) -> F:
        test.needs = frozenset(abilities)  # type: ignore[attr-defined]  # read below
        return test

    return mark


class Declared:
    """Takes out of a test class what its place cannot do."""

    cannot: ClassVar[Mapping[str, str]] = {}
    """Ability → why a place of this kind does not have it."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in dir(cls):
            if getattr(getattr(cls, name), "needs", frozenset()) & cls.cannot.keys():
                setattr(cls, name, None)  # pytest collects no None

    def test_says_what_it_cannot_do(self, place: Place) -> None:
        assert sorted([*place.abilities, *self.cannot]) == sorted(ABILITIES)
        assert all(" " in reason for reason in self.cannot.values())
