"""Plays recorded use again under other rules, with the same brain that decides live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from poorwill.core.demand import wanted
from poorwill.core.door import Asked, Gate, GateState, Traffic
from poorwill.core.model import Condition, Instance, Now, Observation, OnRequest, Outcome, Service
from poorwill.core.spans import Span, clip, total, union

_BOOT = "replay"
_NOBODY = Instance("it", Condition.ABSENT, outcome=Outcome.STOPPED, outcome_at=-inf)
_GONE = Observation((_NOBODY,), Gate(GateState.CLOSED, -inf))
_ASKED = replace(_GONE, asked=Asked(waiting=1))


@dataclass(frozen=True, slots=True)
class Use:
    """A time of use as it was asked for. ``delay`` is how much of it was waiting for a start: that is part of
    the recording, and must not be counted again.
    """

    start: float
    end: float
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Played:
    """``seconds`` is how long it was there, starting and ending included. ``waits`` are the starts that
    somebody waited for, by when they began; ``turned_away`` is how often nobody was let in.
    """

    seconds: float
    waits: tuple[float, ...]
    turned_away: int = 0


def play(
    service: Service, uses: Sequence[Use], since: float, until: float, wake: float, end: float
) -> Played:
    """``wake`` is how many seconds a start takes, ``end`` a stop. Nothing else changes what people do: who
    would have waited longer comes all the same.
    """
    waits: list[float] = []
    there: list[Span] = []
    turned_away, at, ahead = 0, since, list(reversed(uses))
    sleeper = _Sleeper(service)
    while at < until:
        if sleeper.rises(at):
            at = _stay(service, at, at + wake, ahead, there, end)
            continue
        following = ahead[-1].start if ahead else inf
        if min(following, sleeper.changes_at) >= until:
            break
        if sleeper.changes_at <= following:
            at = max(sleeper.changes_at, at)
            continue
        use, at = ahead.pop(), max(at, following)
        if not sleeper.lets_in:
            turned_away += 1
            continue
        waits.append(at)
        ahead.append(Use(at, max(at + wake, use.end + wake - use.delay)))
        at = _stay(service, at, at + wake, ahead, there, end)
    return Played(total(clip(union(there), since, until)), tuple(waits), turned_away)


class _Sleeper:
    """What becomes of a service that is not there; asked again only when time may have changed the answer."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known_from = inf
        self.changes_at = -inf
        self._wanted = self.lets_in = False

    def rises(self, at: float) -> bool:
        """Whether something beside a visitor wants it now. Then ``lets_in`` says what became of one."""
        if not self._known_from <= at < self.changes_at:
            now = Now(at, at, _BOOT)
            wish, visited = wanted(self._service, _GONE, now), wanted(self._service, _ASKED, now)
            self._wanted = bool(wish.desired)
            self.lets_in = bool(visited.desired) and visited.entrance is not OnRequest.CLOSED
            self._known_from = at
            self.changes_at = inf if wish.until is None else max(wish.until, at + 1e-3)
        return self._wanted


def _stay(
    service: Service, begun: float, ready: float, ahead: list[Use], there: list[Span], end: float
) -> float:
    """From a start on until nobody wants it any more; takes the uses that it sees. Returns when it slept."""
    last = at = ready
    while True:
        # Until `at` it is wanted whoever comes; who comes only lengthens that.
        while ahead and ahead[-1].start <= at:
            last = max(last, ahead.pop().end)
            at = max(at, last)
        wish = wanted(service, _seen(ready, last), Now(at, at, _BOOT))
        if not wish.desired:
            there.append((begun, at + end))
            return at
        if wish.until is None:
            there.append((begun, inf))
            return inf
        at = max(wish.until, at + 1e-3)


def _seen(ready: float, last: float) -> Observation:
    here = Instance("it", Condition.RUNNING, ready=True, ready_since=ready, seen_since=ready)
    return Observation((here,), Gate(GateState.OPEN, ready), traffic=Traffic(last_activity=last))


def uses_of(stretches: Sequence[tuple[float, float, float]]) -> Iterator[Use]:
    """(start, end, the longest wait in it) in order, without overlaps."""
    previous: Use | None = None
    for start, end, waited in sorted(stretches):
        if previous is not None and start <= previous.end:
            previous = Use(previous.start, max(previous.end, end), previous.delay)
            continue
        if previous is not None:
            yield previous
        previous = Use(start, max(end, start), waited)
    if previous is not None:
        yield previous
