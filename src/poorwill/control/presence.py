"""When an instance came and when it went, written down for the ledger, whoever started or stopped it.

It is paid for from when it is there until it is seen to be gone. That nobody can tell is neither.
"""

from __future__ import annotations

from dataclasses import replace

from poorwill.control.facts import Facts
from poorwill.control.place import Place
from poorwill.control.recorder import Recorder
from poorwill.core.model import Condition, IntentKind, Now, Phase
from poorwill.providers.base import Sighting
from poorwill.store.journal import Entry, Json, Kind

CLOCK_STEP = 1.0
"""Seconds by which the wall clock must have been set for the ledger to be told of it."""


class Presence:
    """What is written down is remembered in ``Place.noted``."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def mind(self, facts: Facts, now: Now) -> None:
        """Write down what the last look showed to be new about what is there."""
        if facts.looked_at is None:
            return
        for place in facts.places.values():
            seen = place.sighting
            if seen is None or seen.condition is Condition.UNKNOWN:
                continue
            if seen.condition is Condition.ABSENT:
                self._absent(facts, place, seen, now)
            else:
                self._present(facts, place, seen, now)
            place.noted = replace(place.noted, known_at=facts.looked_at, remembered=False)

    def leave(self, facts: Facts, now: Now) -> None:
        """Nobody looks at it from now on: what others started here is none of our business any more."""
        for place in facts.places.values():
            if place.noted.life is not None:
                self._gone(facts, place, None, now, "it was removed from the configuration and left alone")

    def _present(self, facts: Facts, place: Place, seen: Sighting, now: Now) -> None:
        noted = place.noted
        # What only starts may still have the name of the life before it.
        life = "" if seen.condition is Condition.STARTING and seen.life == noted.gone else seen.life
        changed = bool(noted.life and life and noted.life != life)
        if changed:
            self._gone(facts, place, None, now, "another life of it was seen")
        if noted.life is None or changed:
            self._there(facts, place, seen, life, now, absent=_known(facts, place, now))
        elif (noted.life == "" and life) or _was_set(noted.offset, now):
            self._there(facts, place, seen, life or noted.life, now, absent=None)
        elif noted.offset is None:
            place.noted = replace(noted, offset=now.wall - now.mono)

    def _absent(self, facts: Facts, place: Place, seen: Sighting, now: Now) -> None:
        noted = place.noted
        if noted.life is not None:
            self._gone(facts, place, seen, now, seen.detail or "not there")
        elif _came_and_went(facts, place, seen, now):
            self._there(facts, place, seen, seen.life, now, absent=_known(facts, place, now))
            self._gone(facts, place, seen, now, seen.detail or "it came and went between two looks")

    def _there(
        self, facts: Facts, place: Place, seen: Sighting, life: str, now: Now, *, absent: float | None
    ) -> None:
        since = seen.since if life else None
        detail: dict[str, Json] = {"life": life, "since": since}
        if absent is not None:
            detail["absent"] = absent
        why = seen.detail or str(seen.condition)
        self._recorder.note(now, Entry(Kind.THERE, facts.name, place.id, why, detail))
        place.noted = replace(place.noted, life=life, offset=now.wall - now.mono)

    def _gone(self, facts: Facts, place: Place, seen: Sighting | None, now: Now, why: str) -> None:
        noted = place.noted
        life = noted.life or ""
        since = until = None
        if seen is not None and seen.life and seen.life != noted.gone and life in ("", seen.life):
            life, since, until = seen.life, seen.since, seen.until
        lasted = place.sighting is not None and noted.known_at is not None
        detail = {
            "life": life,
            "since": since,
            "until": until,
            "seen": _known(facts, place, now) if lasted else None,
        }
        self._recorder.note(now, Entry(Kind.GONE, facts.name, place.id, why, detail))
        place.noted = replace(noted, life=None, gone=life)


def last_known(facts: Facts, phase: Phase, now: Now) -> dict[str, float]:
    """For the journal, when nobody can tell what there is: until when somebody could."""
    known = [_known(facts, place, now) for place in facts.places.values()]
    told = [wall for wall in known if wall is not None]
    return {"known": min(told) + facts.rules.settle} if phase is Phase.UNKNOWN and told else {}


def _known(facts: Facts, place: Place, now: Now) -> float | None:
    """Until when at least what is noted held, by the wall clock as it is set now; None when nobody knows.

    What changes may not show at once, and what an earlier control plane saw it may have seen a while ago.
    """
    noted = place.noted
    if noted.known_at is None:
        return None
    slack = facts.provider.stale_after if noted.remembered else 0.0
    return now.wall - (now.mono - noted.known_at) - slack - facts.rules.settle


def _was_set(offset: float | None, now: Now) -> bool:
    return offset is not None and abs(now.wall - now.mono - offset) > CLOCK_STEP


def _came_and_went(facts: Facts, place: Place, seen: Sighting, now: Now) -> bool:
    """Whether there was a life that no look showed; the place tells when."""
    if seen.since is None or seen.until is None or not seen.life:
        return False
    if place.noted.gone:
        return seen.life != place.noted.gone
    if place.intent is not None and place.intent.kind is IntentKind.START:
        return True
    known = _known(facts, place, now)  # else it may have ended before anybody looked
    return known is not None and seen.until > known
