"""What goes on when somebody comes or goes: reckoned, until the next bill says it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from poorwill.core.ahead import Going
from poorwill.core.growth import Growth, PartGrowth
from poorwill.core.price import Price
from poorwill.core.tariff import per_micro


@dataclass(frozen=True, slots=True)
class Awake:
    """How many instances of each are there, and what each is on."""

    instances: Mapping[str, int] = field(default_factory=dict)
    on: Mapping[str, str] = field(default_factory=dict)


def later(ahead: Iterable[Going], micros: int) -> tuple[Going, ...]:
    """The same, so many microseconds later."""
    return tuple(
        replace(
            one,
            cost=one.cost and one.cost.later(micros),
            parts={name: part.later(micros) for name, part in one.parts.items()},
        )
        for one in ahead
    )


def changed(
    ahead: Iterable[Going], before: Awake, after: Awake, prices: Mapping[str, Price]
) -> tuple[Going, ...]:
    """Those who are there ``after``. Who comes pays what was in force last."""
    names = before.instances.keys() | after.instances.keys()
    more = {name: after.instances.get(name, 0) - before.instances.get(name, 0) for name in names}
    found: list[Going] = []
    for one in ahead:
        if more.get(one.payer, 0) < 0:
            more[one.payer] += 1
        else:
            found.append(one)
    found += [_comes(name, after, prices) for name in sorted(more) for _ in range(more[name])]
    guests: dict[str, set[str]] = defaultdict(set)
    for one in found:
        guests[after.on.get(one.payer, "")].add(one.payer)
    return tuple(replace(one, parts=_parts(one, guests[one.payer])) for one in found)


def _comes(name: str, awake: Awake, prices: Mapping[str, Price]) -> Going:
    machine, price = awake.on.get(name, ""), prices.get(name)
    if price is None or machine in prices:
        return Going(name, aboard=bool(machine))
    return Going(name, price.currency, Growth(per_micro(price), price, fresh=True), bool(machine))


def _parts(machine: Going, guests: set[str]) -> dict[str, PartGrowth]:
    if machine.cost is None or not (machine.parts or guests):
        return {}
    known = next(iter(machine.parts.values()), PartGrowth(machine.cost))
    return {
        name: replace(machine.parts.get(name, replace(known, mine=0)), here=name in guests, many=len(guests))
        for name in machine.parts.keys() | guests
    }
