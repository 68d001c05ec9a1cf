"""How what a machine cost is shared among those who were on it.

While several are there, they pay equal parts. While nobody is (it boots, it idles, it stops), and for what is
rounded up at its end, they pay by the time that each was there in this life of the machine. Where nobody
was there in its whole life, the machine pays for itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from poorwill.core.spell import Spell
from poorwill.core.tariff import Span


@dataclass(frozen=True, slots=True)
class Part:
    """``payer`` is empty for what is shared with nobody."""

    payer: str
    amount: Fraction
    currency: str
    typical: bool


def parts(machine: Spell, guests: Mapping[str, Sequence[Span]], span: Span) -> Iterator[Part]:
    """What one life of a machine cost within ``span``, in parts that add up to it exactly.

    ``guests`` are the times of those on it, as ``core.spans.union`` gives them.
    """
    since, until = span
    if machine.end < since or machine.start > until:
        return
    presence = {name: _within(spans, (machine.start, machine.end)) for name, spans in guests.items()}
    presence = {name: spans for name, spans in presence.items() if spans}
    weights = _weights({name: sum(end - start for start, end in spans) for name, spans in presence.items()})
    for charge in machine.charges:
        start, end = max(charge.start, since), min(charge.end, until)
        lengths: dict[str, Fraction] = defaultdict(Fraction)
        for here, stop, present in _slices(presence, (start, end)):
            shares = {name: Fraction(1, len(present)) for name in present} or weights
            for name, share in shares.items():
                lengths[name] += share * (stop - here)
        for name, length in lengths.items():
            yield Part(name, length * charge.per_micro, charge.currency, charge.typical)
    if machine.ending and since < machine.end <= until:
        ending = machine.ending
        for name, share in weights.items():
            yield Part(name, share * ending.amount, ending.currency, ending.typical)


def alone(
    machine: Spell, guests: Mapping[str, Sequence[Span]], span: Span
) -> tuple[Fraction, dict[str, int]]:
    """What a life of a machine cost within ``span`` while nobody was on it, without what is rounded up, and
    how long each of the guests was there in all of this life.
    """
    presence = {name: _within(spans, (machine.start, machine.end)) for name, spans in guests.items()}
    cost = Fraction(0)
    for charge in machine.charges:
        start, end = max(charge.start, span[0]), min(charge.end, span[1])
        for here, stop, present in _slices(presence, (start, end)):
            cost += 0 if present else charge.per_micro * (stop - here)
    return cost, {name: sum(end - start for start, end in spans) for name, spans in presence.items() if spans}


def _weights(lengths: Mapping[str, int]) -> dict[str, Fraction]:
    whole = sum(lengths.values())
    return {name: Fraction(length, whole) for name, length in lengths.items()} or {"": Fraction(1)}


def _within(spans: Sequence[Span], whole: Span) -> list[Span]:
    """Those that touch ``whole``, cut to it; none touches what was over at once."""
    if whole[0] == whole[1]:
        return []
    first = bisect_right(spans, whole[0], key=lambda span: span[1])
    last = bisect_left(spans, whole[1], key=lambda span: span[0])
    return [(max(start, whole[0]), min(end, whole[1])) for start, end in spans[first:last]]


def _slices(presence: Mapping[str, Sequence[Span]], span: Span) -> Iterator[tuple[int, int, list[str]]]:
    """The time of ``span`` in pieces, each with those who were there."""
    start, end = span
    if end <= start:
        return
    steps = [
        (at, step, name)
        for name, spans in presence.items()
        for one in spans
        for at, step in zip(one, (1, -1), strict=True)
    ]
    present: set[str] = set()
    here = start
    for at, _, name in sorted(steps):
        stop = min(max(at, start), end)
        if stop > here:
            yield here, stop, sorted(present)
            here = stop
        present ^= {name}
    if end > here:
        yield here, end, sorted(present)
