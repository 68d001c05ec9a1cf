"""What a service takes of the GPUs it runs on, who asks for it how strongly, and what becomes of that.

``core.allocate`` makes the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

MIN_AWAKE = 300.0
"""Seconds for which a service keeps its GPU at least, counted from its being ready."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU of this host, or of ``machine``. ``memory`` is what it has in bytes, None when nobody asked."""

    name: str
    machine: str = ""
    memory: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Which card it is: names are of one machine."""
        return self.machine, self.name

    def __str__(self) -> str:
        return f"GPU {self.name} of {self.machine}" if self.machine else f"GPU {self.name}"


@dataclass(frozen=True, slots=True)
class Share:
    """What one instance needs: ``memory`` bytes of each of its cards, or, with None, no other service there.

    ``min_awake`` is how long (seconds) it stays at least before it makes room for another.
    """

    cards: tuple[Card, ...]
    memory: int | None = None
    priority: int = 0
    min_awake: float = MIN_AWAKE

    def takes_as(self, other: Share) -> bool:
        """Whether it is as much of the same cards."""
        mine, theirs = ([card.key for card in share.cards] for share in (self, other))
        return mine == theirs and self.memory == other.memory

    def __str__(self) -> str:
        return " and ".join(map(str, self.cards))


class Strength(IntEnum):
    """Who wants a service: visitors, its hours (or a job's run), a person. The stronger is never sent away
    for the weaker.
    """

    REQUESTS = 0
    HOURS = 1
    PERSON = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """What one service wants of its cards, and has of them, at one moment.

    ``wanted`` and ``held`` are numbers of instances; what may be there, or about to be, is held. ``said_at``
    is when a person last spoke for it, ``asked`` says that somebody would use it now, ``failing`` that its
    last start failed. ``waiting_since`` is when it began to wait, ``awake_since`` when it got ready (None:
    not yet). ``movable`` says that it can be put to sleep at all, ``going`` that it lets nobody in any more.
    ``used_at`` is when it was last used, infinite while it is at work. ``reason`` is why it is wanted.
    ``keeps`` names what it needs and what needs it. Times are monotonic.
    """

    service: str
    share: Share
    wanted: int = 0
    held: int = 0
    strength: Strength = Strength.REQUESTS
    said_at: float = 0.0
    asked: bool = True
    failing: bool = False
    waiting_since: float | None = None
    awake_since: float | None = None
    movable: bool = True
    going: bool = False
    used_at: float = 0.0
    reason: str = ""
    keeps: frozenset[str] = frozenset()


class Word(StrEnum):
    """It may start and stay; it has to wait with its start; it has to make room."""

    MAY = "may"
    WAITS = "waits"
    GOES = "goes"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``room`` is how many instances may be there; ``why`` says what is in the way, empty when nothing.
    ``until`` is when time alone may change this (monotonic).
    """

    word: Word = Word.MAY
    why: str = ""
    room: int = 1
    until: float | None = None
