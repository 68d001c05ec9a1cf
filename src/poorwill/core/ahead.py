"""What goes on at the end of a bill: by this it is known what the bill comes to later, without a new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from poorwill.core.growth import Growth, PartGrowth
from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.parts import alone
from poorwill.core.spans import union
from poorwill.core.spell import Spell, spells
from poorwill.core.tariff import Rate, Span, Tariff, micros, per_micro
from poorwill.core.terms import Terms


@dataclass(frozen=True, slots=True)
class Going:
    """A life that goes on. ``cost`` is how its price grows in ``currency``, None where that is not known, or
    where its machine is paid for; ``aboard`` says that it is on a machine. ``parts`` are what the guests of a
    machine pay of it, by name.
    """

    payer: str
    currency: str = ""
    cost: Growth | None = None
    aboard: bool = False
    parts: Mapping[str, PartGrowth] = field(default_factory=dict)


def going(
    lives: Iterable[Life], terms: Iterable[Terms], meters: Iterable[Meter], since: float, now: float
) -> tuple[Going, ...]:
    """All that goes on at ``now``, as it adds to the bill that began at ``since``. What one's own hardware
    will draw nobody has measured yet: it goes on with the watts that were stated.
    """
    tariff = Tariff(terms)
    by_payer: dict[str, list[Life]] = defaultdict(list)
    for life in lives:
        by_payer[life.payer].append(life)
    found: list[Going] = []
    for payer, own in by_payer.items():
        ahead = [life for life in own if _goes_on(life, now)]
        if payer not in tariff.machines():
            found += [_going(life, tariff, now) for life in ahead]
        elif ahead:
            known = [meter for meter in meters if meter.payer == payer]
            for life, spell in zip(own, spells(own, tariff, known, micros(now)), strict=True):
                if _goes_on(life, now):
                    one = _going(life, tariff, now)
                    parts = _parts(one, spell, by_payer, tariff, (micros(since), micros(now)))
                    found.append(Going(payer, one.currency, one.cost, one.aboard, parts))
    return tuple(found)


def _goes_on(life: Life, now: float) -> bool:
    """Not those who came while it was read: they are not on the bill either."""
    return life.end is None and life.start <= now


def _rates(life: Life, tariff: Tariff, now: int) -> Sequence[Rate]:
    start = micros(life.start)
    end = max(start + 1, now if life.end is None else micros(life.end))
    return [*tariff.rates(life.payer, start, end)]


def _going(life: Life, tariff: Tariff, now: float) -> Going:
    last = _rates(life, tariff, micros(now))[-1]
    if last.price is None or last.machine:
        return Going(life.payer, aboard=bool(last.on))
    length = max(0, micros(now) - micros(life.start))
    cost = Growth(per_micro(last.price), last.price, length)
    return Going(life.payer, last.currency, cost, bool(last.on))


def _parts(
    machine: Going, spell: Spell, lives: Mapping[str, Sequence[Life]], tariff: Tariff, time: Span
) -> dict[str, PartGrowth]:
    if machine.cost is None:
        return {}
    presence: dict[str, list[Span]] = {}
    here: set[str] = set()
    for name, own in lives.items():
        for life in own:
            rates = _rates(life, tariff, time[1])
            spans = [(one.start, min(one.end, spell.end)) for one in rates if one.machine == machine.payer]
            if spans:
                presence.setdefault(name, []).extend(spans)
            if life.end is None and micros(life.start) <= time[1] and rates[-1].machine == machine.payer:
                here.add(name)
    idle, lengths = alone(spell, {name: union(spans) for name, spans in presence.items()}, time)
    whole, many = sum(lengths.values()), len(here)
    return {
        name: PartGrowth(machine.cost, idle, lengths.get(name, 0), whole, name in here, many)
        for name in presence
    }
