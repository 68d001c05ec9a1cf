"""One service of a review in words: its figures, its heat maps, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poorwill.accounts.figures import Figures, Trouble, Visits
from poorwill.accounts.heat import DAYS, HOURS, Cell, Heat
from poorwill.accounts.reasons import reason
from poorwill.accounts.words import Words, duration, hours, stamp
from poorwill.core.spans import Span

MOST = 5
"""Troubles that are told one by one."""
STEPS = 10
"""Shades of a heat map."""
PALE = 0.2
"""The darkest shade is the largest share in a map, but never less than this."""


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Spot:
    """One cell of a heat map: percent as text, and its shade from 0 to STEPS."""

    text: str
    shade: int


@dataclass(frozen=True, slots=True)
class Map:
    """``which`` is ``used`` or ``empty``. ``rows`` are the hours of the day from 0 on, each with its days
    from Monday on.
    """

    which: str
    title: str
    caption: str
    rows: tuple[tuple[Spot, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    facts: tuple[Fact, ...]
    maps: tuple[Map, ...]
    idle: tuple[str, ...]
    troubles: tuple[str, ...]


def part(one: Figures, zone: str, say: Words) -> Part:
    visits = one.visits
    return Part(
        name=one.name,
        facts=tuple(Fact(say[f"service.{key}"], value) for key, value in _facts(one, say)),
        maps=() if visits is None else tuple(_maps(one.name, visits.heat, say)),
        idle=() if visits is None else tuple(_span(span, zone, say) for span in visits.idle),
        troubles=tuple(_troubles(one, zone, say)),
    )


def _facts(one: Figures, say: Words) -> Iterator[tuple[str, str]]:
    yield "there", hours(say, one.there / 3600)
    if one.before is not None:
        yield "before", hours(say, one.before / 3600)
    yield "up", hours(say, one.up / 3600)
    yield "switching", hours(say, one.switching / 3600)
    if one.visits is not None:
        yield "used", hours(say, one.visits.used / 3600)
        yield "empty", hours(say, one.visits.empty / 3600)
        yield "empty_hours", str(one.visits.empty_hours)
        yield "requests", f"{one.visits.requests:,}"
    yield "starts", str(one.starts)
    if one.visits is not None or one.cold:
        yield "cold", str(one.cold)
    if one.visits is not None:
        yield from _waiting(one.visits, say)
    if one.unconfirmed >= 1:
        yield "unconfirmed", duration(say, one.unconfirmed)
    for key, kind in (("failed", "failed"), ("crashed", "crashed"), ("debts", "debt")):
        if count := sum(trouble.kind == kind for trouble in one.troubles):
            yield key, str(count)


def _waiting(visits: Visits, say: Words) -> Iterator[tuple[str, str]]:
    waiting = visits.waiting
    yield "waited", str(waiting.waited)
    if waiting.waited:
        yield "mean", duration(say, waiting.mean)
        yield "longest", duration(say, waiting.longest)
    if waiting.gave_up:
        yield "gave_up", str(waiting.gave_up)
    if waiting.refused:
        yield "refused", str(waiting.refused)


def _maps(name: str, heat: Heat, say: Words) -> Iterator[Map]:
    """Those in which there is anything to see."""
    shares = {
        "used": [[cell.use for cell in day] for day in heat],
        "empty": [[cell.waste for cell in day] for day in heat],
    }
    for which, found in shares.items():
        if any(share for day in found for share in day):
            yield _map(name, which, found, heat, say)


def _map(name: str, which: str, shares: list[list[float]], heat: Heat, say: Words) -> Map:
    most = max(PALE, *(share for day in shares for share in day))
    return Map(
        which=which,
        title=say[f"heat.{which}"],
        caption=say[f"heat.{which}_caption"].format(name=name),
        rows=tuple(
            tuple(_spot(shares[day][hour], heat[day][hour], most) for day in range(DAYS))
            for hour in range(HOURS)
        ),
    )


def _spot(share: float, cell: Cell, most: float) -> Spot:
    """A dash where that hour has not been yet."""
    if not cell.seconds:
        return Spot("–", 0)
    percent = round(share * 100)
    if not percent:
        return Spot("<1" if share > 0 else "0", 0)
    return Spot(str(percent), max(1, round(share / most * STEPS)))


def _span(span: Span, zone: str, say: Words) -> str:
    start, end = span
    return say["service.span"].format(
        start=stamp(say, start, zone), end=stamp(say, end, zone), time=duration(say, end - start)
    )


def _troubles(one: Figures, zone: str, say: Words) -> Iterator[str]:
    for trouble in one.troubles[:MOST]:
        yield _trouble(trouble, zone, say)
    if more := len(one.troubles[MOST:]):
        yield say["trouble.more"].format(n=more, name=one.name)


def _trouble(one: Trouble, zone: str, say: Words) -> str:
    lasted = say["service.open"] if one.seconds is None else duration(say, one.seconds)
    return say[f"trouble.{one.kind}"].format(
        at=stamp(say, one.at, zone), reason=reason(one.reason, say), time=lasted
    )
