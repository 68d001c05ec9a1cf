"""Who may use the GPUs that services share.

One rule after the other: what is there stays, as long as nobody who waits may have its place. Those who wait
are served in the order of ``_rank``. Each takes what is free; when that is not enough, those who may be sent
away for it (``_leaves_at``) have to make room, as few as possible, and the place they leave is kept for it.
Whoever comes later may still take what that leaves free.

Nobody is sent away before ``min_awake``, so two services that are both asked for all the time take turns,
and not faster than that. Who has a lower priority gets its turn as well, after waiting ``TURNS`` times as
long, or as soon as the others rest. Further instances of a service (its second, its third …) take free room
only, and are the first to leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

from poorwill.core.duration import duration_text
from poorwill.core.share import Claim, Strength, Verdict, Word

TURNS = 4
"""How many times ``min_awake`` a lower priority waits for one that is in use all the time."""

QUIET = 30.0
"""Seconds without a request after which a service rests, as far as others wait for its place."""


_LEAST = (Strength.REQUESTS, -inf)
"""The weight of what is wanted least."""


def allocate(claims: Iterable[Claim], now: float) -> dict[str, Verdict]:
    """A verdict for each service. Pure: the same claims give the same verdicts, in whatever order."""
    return _Allocation({claim.service: claim for claim in claims}, now).verdicts()


class _Allocation:
    """``now_there`` counts the instances that are there or may start at once, by service; ``planned`` those
    that are to be there when everybody who has to go has gone.
    """

    def __init__(self, claims: Mapping[str, Claim], now: float) -> None:
        self._claims = {name: claims[name] for name in sorted(claims)}
        self._now = now
        self._now_there = {name: claim.held for name, claim in self._claims.items()}
        self._planned = {name: min(claim.held, claim.wanted) for name, claim in self._claims.items()}
        self._sent: dict[str, list[tuple[str, float]]] = {}
        self._kept_waiting: dict[str, Verdict] = {}

    def verdicts(self) -> dict[str, Verdict]:
        waiting = [claim for claim in self._claims.values() if claim.wanted and not claim.held]
        ranked = sorted(waiting, key=self._rank)
        for claim in ranked:
            self._seat(claim)
        growing = [claim for claim in self._claims.values() if claim.wanted > max(1, claim.held)]
        for claim in sorted(growing, key=self._rank):
            self._grow(claim)
        return {name: self._verdict(claim) for name, claim in self._claims.items()}

    def _verdict(self, claim: Claim) -> Verdict:
        name = claim.service
        if name in self._kept_waiting:
            return self._kept_waiting[name]
        sent = self._sent.get(name, [])
        due = sorted({waiter for waiter, at in sent if at <= self._now})
        until = min((at for _, at in sent if self._now < at < inf), default=None)
        room = self._planned[name] + sum(at > self._now for _, at in sent)
        if due:
            why = f"makes room on {claim.share} for {_and(due)}"
            return Verdict(Word.MAY if room else Word.GOES, why, room, until)
        why = f"there is no room for more on {claim.share}" if room < claim.wanted else ""
        return Verdict(why=why, room=room, until=until)

    def _seat(self, claim: Claim) -> None:
        """Find a place for the first instance of a service that has none."""
        name = claim.service
        if self._fits(self._planned, name):
            self._planned[name] = 1
            if self._fits(self._now_there, name):
                self._now_there[name] = 1
            else:
                self._wait(claim, self._until_they_are_gone(claim))
            return
        leaving = self._who_leaves(claim)
        if leaving is None:
            self._wait(claim, self._in_the_way(claim))
            return
        at = max(moment for _, moment in leaving)
        for other, _ in leaving:
            self._planned[other] -= 1
            self._sent.setdefault(other, []).append((name, at))
        self._planned[name] = 1
        others = sorted({other for other, _ in leaving})
        self._wait(claim, _makes_room(others) if at <= self._now else self._keeps(others), at)

    def _grow(self, claim: Claim) -> None:
        """Further instances, as far as there is room; nobody is sent away for them."""
        name = claim.service
        if name in self._kept_waiting or name in self._sent:
            return
        while self._planned[name] < claim.wanted:
            more = self._planned[name] >= self._now_there[name]
            if not self._fits(self._planned, name) or (more and not self._fits(self._now_there, name)):
                return
            self._planned[name] += 1
            self._now_there[name] = max(self._now_there[name], self._planned[name])

    # --- who leaves -----------------------------------------------------------------------------------

    def _who_leaves(self, claim: Claim) -> list[tuple[str, float]] | None:
        """As few as possible of those that may be sent away for it, and when; None when not enough."""
        left = dict(self._planned)
        leaving: list[tuple[str, float]] = []
        for other, extra, moment in self._candidates(claim):
            if self._fits(left, claim.service):
                break
            if left[other] > 1 and not extra:
                continue  # its further instances stay, so it stays
            left[other] -= 1
            leaving.append((other, moment))
        if not self._fits(left, claim.service):
            return None
        for one in reversed([*leaving]):
            left[one[0]] += 1
            if self._fits(left, claim.service):
                leaving.remove(one)
            else:
                left[one[0]] -= 1
        return leaving

    def _candidates(self, claim: Claim) -> list[tuple[str, bool, float]]:
        """Instances that may be sent away for it, the least missed first: service, whether it is a further
        instance of it, and from when on.
        """
        found = []
        cards = {card.key for card in claim.share.cards}
        for other in self._claims.values():
            if other.service == claim.service or not cards & {card.key for card in other.share.cards}:
                continue
            for index in range(min(self._planned[other.service], other.held), 0, -1):
                moment = self._leaves_at(other, claim, extra=index > 1)
                if moment is not None:
                    strength, priority = _LEAST if index > 1 else _weight(other)
                    later = moment > self._now
                    missed = (index == 1, not other.going, later, strength, priority, other.used_at)
                    found.append((missed, other.service, -index, moment))
        return [(name, index < -1, moment) for _, name, index, moment in sorted(found)]

    def _leaves_at(self, holder: Claim, claim: Claim, *, extra: bool) -> float | None:
        """From when on the holder may be sent away for the claim; infinite when its time does not run yet,
        None when it may not.
        """
        if not holder.movable or holder.service in claim.keeps:
            return None
        strength, priority = _LEAST if extra else _weight(holder)
        own_strength, own_priority = _weight(claim)
        served = inf if holder.awake_since is None else holder.awake_since + holder.share.min_awake
        if own_strength != strength:
            return served if own_strength > strength else None
        if strength is Strength.PERSON:
            return served if claim.said_at > holder.said_at else None
        if strength is Strength.HOURS and not claim.asked and own_priority <= priority:
            return None
        unused = strength is Strength.HOURS and claim.asked and not holder.asked
        if own_priority >= priority or unused:
            return served
        return max(served, min(holder.used_at + QUIET, self._since(claim) + TURNS * self._turn(claim)))

    # --- who is served first --------------------------------------------------------------------------

    def _rank(self, claim: Claim) -> tuple[float | str, ...]:
        strength, priority = _weight(claim)
        said = -claim.said_at if strength is Strength.PERSON else 0.0
        overdue = claim.asked and self._now - self._since(claim) >= TURNS * self._turn(claim)
        first = (not overdue, not claim.asked, 0.0 if overdue else -priority)
        return -strength, said, *first, self._since(claim), claim.service

    def _since(self, claim: Claim) -> float:
        return self._now if claim.waiting_since is None else claim.waiting_since

    def _turn(self, claim: Claim) -> float:
        """How long the longest turn is among those with whom it shares a card."""
        mates = [other for other in self._claims.values() if other.wanted and _share_a_card(claim, other)]
        return max(other.share.min_awake for other in (claim, *mates))

    # --- what fits ------------------------------------------------------------------------------------

    def _fits(self, there: Mapping[str, int], one_more: str) -> bool:
        counts = {**there, one_more: there[one_more] + 1}
        return all(
            fits([(other.share.memory, counts[other.service]) for other in self._on(card.key)], memory)
            for card in self._claims[one_more].share.cards
            for memory in [self._memory(card.key)]
        )

    def _on(self, key: tuple[str, str]) -> list[Claim]:
        return [claim for claim in self._claims.values() if any(c.key == key for c in claim.share.cards)]

    def _memory(self, key: tuple[str, str]) -> int | None:
        """The least that anybody says of it: a changed configuration reaches them one after the other."""
        told = [card.memory for claim in self._on(key) for card in claim.share.cards if card.key == key]
        return min((memory for memory in told if memory is not None), default=None)

    # --- the words ------------------------------------------------------------------------------------

    def _wait(self, claim: Claim, why: str, at: float | None = None) -> None:
        until = at if at is not None and self._now < at < inf else None
        words = f"waits for {claim.share}{why}"
        self._kept_waiting[claim.service] = Verdict(Word.WAITS, words, 0, until)

    def _keeps(self, others: list[str]) -> str:
        """They were not awake for long enough, or not quiet for long enough."""
        first = self._claims[others[0]]
        served = (first.awake_since or self._now) + first.share.min_awake
        if len(others) > 1:
            return f", which {_and(others)} use"
        if first.awake_since is None or served > self._now:
            return f", which {others[0]} keeps until it was awake for {duration_text(first.share.min_awake)}"
        return f", which {others[0]} is using, and it has a higher priority"

    def _until_they_are_gone(self, claim: Claim) -> str:
        """What is in the way is on its way out."""
        leaving = [one for one in self._neighbours(claim) if self._now_there[one] > self._planned[one]]
        lost = [one for one in leaving if not self._claims[one].movable]
        if lost:
            return f": nobody can tell that {_and(lost)} has left it"
        return _makes_room(leaving)

    def _in_the_way(self, claim: Claim) -> str:
        """What is in the way stays."""
        there = [one for one in self._neighbours(claim) if self._planned[one]]
        held = [one for one in there if self._claims[one].held]
        if not held:
            return f" until {_and(there)} had it" if there else ""
        for one in held:
            if not self._claims[one].movable:
                return f", which {one} uses and Poorwill cannot stop now"
        first = max(held, key=lambda one: (_weight(self._claims[one]), one))
        reason = self._claims[first].reason
        return f", which {first} uses" + (f" ({reason})" if reason else "")

    def _neighbours(self, claim: Claim) -> list[str]:
        keys = {card.key for card in claim.share.cards}
        names = {other.service for key in keys for other in self._on(key)}
        return sorted(names - {claim.service})


def fits(needs: Iterable[tuple[int | None, int]], memory: int | None) -> bool:
    """Whether these fit on one card together: (bytes of one instance, None for the whole card; how many).

    On a card whose memory nobody knows there is room for one service.
    """
    there = [(need, count) for need, count in needs if count > 0]
    if len(there) > 1 and (memory is None or any(need is None for need, _ in there)):
        return False
    return memory is None or sum((need or 0) * count for need, count in there) <= memory


def _weight(claim: Claim) -> tuple[Strength, float]:
    """How strongly it is wanted. What has just failed to start takes nobody's place, unless others rest."""
    return _LEAST if claim.failing else (claim.strength, claim.share.priority)


def _share_a_card(one: Claim, other: Claim) -> bool:
    return bool({card.key for card in one.share.cards} & {card.key for card in other.share.cards})


def _makes_room(others: list[str]) -> str:
    return f": {_and(others)} {'makes' if len(others) == 1 else 'make'} room"


def _and(names: list[str]) -> str:
    return " and ".join(names)
