"""Services on one or two GPUs over hours: random ones, and the laws that hold in all of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from poorwill.core.allocate import TURNS, allocate, fits
from poorwill.core.share import Card, Claim, Share, Strength, Word

STEP = 5.0
TOTAL = 24
START, DRAIN = 20.0, 15.0
"""Seconds from a start to readiness, and those that open work takes to end."""


@dataclass
class Tenant:
    """A service as the loop would keep it: it starts when it may, and ends its work before it goes."""

    name: str
    share: Share
    strength: Strength = Strength.REQUESTS
    movable: bool = True
    wanted: bool = True
    waiting_since: float | None = None
    started_at: float | None = None
    draining_since: float | None = None
    turns: list[float] = field(default_factory=list)

    def awake_since(self, now: float) -> float | None:
        ready = None if self.started_at is None else self.started_at + START
        return ready if ready is not None and ready <= now else None

    def claim(self, now: float) -> Claim:
        return Claim(
            self.name,
            self.share,
            wanted=int(self.wanted),
            held=int(self.started_at is not None),
            strength=self.strength,
            waiting_since=self.waiting_since,
            awake_since=self.awake_since(now),
            movable=self.movable,
            going=self.draining_since is not None,
            used_at=now if self.wanted else 0.0,
        )

    def follow(self, word: Word, now: float) -> None:
        self.waiting_since = (self.waiting_since or now) if word is Word.WAITS else None
        goes = self.started_at is not None and (word is Word.GOES or not self.wanted)
        if goes and self.awake_since(now) is not None:
            self._leave(now)
        elif not goes:
            self.draining_since = None  # the sleep is called off
        if word is Word.MAY and self.wanted and self.started_at is None:
            self.started_at = now

    def _leave(self, now: float) -> None:
        since = self.awake_since(now)
        assert since is not None
        if self.draining_since is None:
            self.draining_since = now
            assert not self.wanted or now - since >= self.share.min_awake, "sent away before its time"
        if now - self.draining_since >= DRAIN:
            self.turns.append(since)
            self.started_at = self.draining_since = None


shares = st.builds(
    Share,
    st.sampled_from([("0",), ("0",), ("0",), ("1",), ("0", "1")]).map(
        lambda names: tuple(Card(name, memory=TOTAL) for name in names)
    ),
    st.sampled_from([None, None, 4, 8, 12, 20]),
    st.integers(0, 2),
    st.sampled_from([0.0, 30.0, 60.0]),
)


@st.composite
def tenants(draw: st.DrawFn, strengths: st.SearchStrategy[Strength]) -> list[Tenant]:
    drawn = draw(st.lists(st.tuples(shares, strengths), min_size=2, max_size=5))
    return [Tenant(f"s{index}", share, strength) for index, (share, strength) in enumerate(drawn)]


def play(those: list[Tenant], seconds: float, fate: random.Random, *, moods: float = 0.0) -> None:
    """Let time pass. ``moods`` is how likely somebody changes his mind about a service in a step."""
    for step in range(int(seconds / STEP)):
        now = 1_000.0 + step * STEP
        for one in those:
            one.wanted ^= fate.random() < moods
            one.movable ^= fate.random() < moods / 5 or (not moods and not one.movable)
        claims = [one.claim(now) for one in those]
        found = allocate(claims, now)
        assert found == allocate(fate.sample(claims, len(claims)), now), "the order decides nothing"
        for one in fate.sample(those, len(those)):
            word = found[one.name].word
            assert word is not Word.GOES or (one.started_at is not None and one.movable)
            if one.movable or word is Word.MAY:
                one.follow(word, now)
        check_room(those)


def check_room(those: list[Tenant]) -> None:
    for name in ("0", "1"):
        there = [one for one in those if one.started_at is not None and _is_on(one, name)]
        assert fits([(one.share.memory, 1) for one in there], TOTAL), [one.name for one in there]


def _is_on(tenant: Tenant, name: str) -> bool:
    return any(card.name == name for card in tenant.share.cards)


@given(tenants(st.sampled_from(Strength)), st.integers(0, 2**32))
@settings(max_examples=100)
def test_nothing_is_ever_overbooked_and_nobody_goes_before_his_time(those: list[Tenant], seed: int) -> None:
    play(those, 900, random.Random(seed), moods=0.05)


@given(tenants(st.just(Strength.REQUESTS)), st.integers(0, 2**32))
@settings(max_examples=50)
def test_everybody_gets_his_turn_and_takes_it_for_long_enough(those: list[Tenant], seed: int) -> None:
    longest = max(one.share.min_awake for one in those)
    swap = START + DRAIN + 4 * STEP
    bound = TURNS * longest + (len(those) + 1) * (longest + swap)
    play(those, 2 * bound, random.Random(seed))
    begun = 1_000.0
    for one in those:
        awake = [*one.turns, *([one.started_at + START] if one.started_at is not None else [])]
        assert awake, f"{one.name} never had a turn in {2 * bound:g} s"
        assert awake[0] - begun <= bound, f"{one.name} waited {awake[0] - begun:g} s"
        assert all(later - early >= one.share.min_awake for early, later in pairwise(awake))


def test_two_that_are_always_asked_for_take_turns_of_the_same_length() -> None:
    card = (Card("0"),)
    two = [Tenant("chat", Share(card, min_awake=300.0)), Tenant("images", Share(card, min_awake=300.0))]
    play(two, 6 * 3600, random.Random(1))
    swaps = sum(len(one.turns) for one in two)
    cycle = 300.0 + DRAIN + START
    assert 6 * 3600 / (cycle + 4 * STEP) <= swaps <= 6 * 3600 / cycle
    assert abs(len(two[0].turns) - len(two[1].turns)) <= 1


def test_the_important_one_has_the_gpu_most_of_the_time() -> None:
    card = (Card("0"),)
    chat = Tenant("chat", Share(card, priority=1, min_awake=300.0))
    batch = Tenant("batch", Share(card, min_awake=300.0))
    play([chat, batch], 6 * 3600, random.Random(1))
    cycle = (TURNS + 1) * 300.0 + 2 * (DRAIN + START)
    assert 6 * 3600 / (cycle + 8 * STEP) - 1 <= len(batch.turns) <= 6 * 3600 / cycle + 1
