"""Services that share a GPU: what each of them claims now, and what that means for the one looked at.

``core.allocate`` judges; here its verdicts meet the loop. The claims of all are gathered from the same facts
at each look, so whoever is looked at first, all verdicts agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from poorwill.control.apply import Spawn
from poorwill.control.claims import Claims
from poorwill.control.facts import Facts
from poorwill.control.front import Front
from poorwill.control.needs import Needs
from poorwill.control.recorder import Recorder
from poorwill.control.release import Releases
from poorwill.core import demand
from poorwill.core.allocate import allocate
from poorwill.core.model import Now, Observation
from poorwill.core.share import Claim, Verdict, Word


class Shares:
    """``nudge(service)`` is called when others have to decide anew. ``_since``: from when on each waits;
    ``_told``: the claim and the verdict of each that the others know.
    """

    def __init__(
        self,
        services: Mapping[str, Facts],
        front: Front,
        needs: Needs,
        recorder: Recorder,
        spawn: Spawn,
        nudge: Callable[[str], None],
    ) -> None:
        self._services = services
        self._needs = needs
        self._nudge = nudge
        self._claims = Claims(front, needs, recorder)
        self._releases = Releases(recorder, spawn, nudge)
        self._since: dict[str, float] = {}
        self._told: dict[str, object] = {}

    def judged(self, facts: Facts, seen: Observation, now: Now) -> Observation:
        """What is seen of the service, with the verdict on its claim."""
        verdict = facts.verdict = self._verdict(facts, seen, now)
        if verdict is None:
            return seen
        waits = verdict.why if verdict.word is Word.WAITS else ""
        if facts.seat and verdict.word is Word.MAY and not facts.there and not seen.missing:
            wanted = demand.wanted(facts.rules, seen, now).desired
            waits = self._releases.awaited(facts.name, facts.seat) if wanted else ""
        return replace(seen, gpu=verdict, missing="; ".join(filter(None, (seen.missing, waits))))

    def _verdict(self, facts: Facts, seen: Observation, now: Now) -> Verdict | None:
        own = self._own(facts, now) if facts.seat else None
        if own is not None:
            self._remember(facts, *own, now)
        sent = self._sent(facts, own, now) if facts.there else None
        if sent is None:
            return own[1] if own else None
        if any(other.there for other in self._needs.dependents(facts)):
            return Verdict(room=len(facts.places))  # what needs it goes first
        if not demand.wanted(facts.rules, seen, now).desired:
            return None
        name, why = sent
        return Verdict(Word.GOES, why if name == facts.name else f"{name} {why}", 0)

    def _own(self, facts: Facts, now: Now) -> tuple[Claim, Verdict]:
        """Its claim, and what becomes of it beside those of its mates."""
        mates = self._mates(facts)
        claims = {mate.name: self._claims.of(mate, self._since.get(mate.name), now) for mate in mates}
        for claim in claims.values():
            self._releases.follow(claim)
        return claims[facts.name], allocate(claims.values(), now.mono)[facts.name]

    def _sent(self, facts: Facts, own: tuple[Claim, Verdict] | None, now: Now) -> tuple[str, str] | None:
        """Who has to make room, and its reason: the service itself, or something that it needs."""
        if own is not None and own[1].word is Word.GOES:
            return facts.name, own[1].why
        for need in self._needs.of(facts):
            found = self._sent(need, self._own(need, now) if need.seat else None, now)
            if found is not None:
                return found
        return None

    def _remember(self, facts: Facts, own: Claim, verdict: Verdict, now: Now) -> None:
        """Others decide anew when something changed that their verdict rests on."""
        if own.wanted and not own.held:  # also while it may start and waits for the memory
            self._since.setdefault(facts.name, now.mono)
        else:
            self._since.pop(facts.name, None)
        starts = own.awake_since is None
        claims = (own.share, own.wanted, own.held, own.strength, own.said_at, own.asked, own.failing)
        told = (*claims, own.movable, starts, verdict.word)
        if self._told.get(facts.name) == told:
            return
        self._told[facts.name] = told
        others = {mate.name for mate in self._mates(facts)} | self._needs.all_dependents(facts)
        for name in sorted(others - {facts.name}):
            self._nudge(name)

    def _mates(self, facts: Facts) -> list[Facts]:
        """All that share a card with it, or with one that does, itself included."""
        cards = {other.name: _cards(other) for other in self._services.values() if other.seat}
        near, before = _cards(facts), 0
        while len(near) > before:
            before = len(near)
            near = near.union(*(some for some in cards.values() if some & near))
        return [self._services[name] for name, some in cards.items() if some & near]


def _cards(facts: Facts) -> set[tuple[str, str]]:
    return {card.key for card in facts.seat.share.cards} if facts.seat else set()
