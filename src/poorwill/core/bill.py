"""What each service and machine cost within a time, and how that was shared.

The rules: A life costs its price for as long as it was there. What is charged beyond that, for steps that
are begun and for a minimum, belongs to its last moment, at the price of that moment. A machine is paid for
once; ``core.parts`` says how that is shared. So what days cost adds up to what the month cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.money import decimal
from poorwill.core.parts import Part, parts
from poorwill.core.spans import union
from poorwill.core.spell import Ending, Spell, spells
from poorwill.core.tariff import SECOND, Span, Tariff, micros
from poorwill.core.terms import Terms


@dataclass(frozen=True, slots=True)
class Line:
    """What one service, job or machine cost. ``kind`` is one of these words.

    ``seconds`` is how long its instances were there, all of them together, ``paid_seconds`` the same in the
    steps in which it is billed; ``unconfirmed`` of these seconds nobody could tell whether it was there.
    ``starts`` is how many lives began. ``amount`` is exact and not rounded; None where no price is known.
    A service on a machine has its part of what the machine cost as ``amount``; the machine's own line has
    what was shared with nobody. ``typical`` says that a price from the shipped table was used, ``backdated``
    for how many of the seconds the price was only stated later. ``whole`` is of a machine what it cost with
    all the parts of others; ``shares`` are these by name, the largest first. Who came to a machine, or left
    one, meanwhile was on one for ``aboard`` of the seconds, and ``shared`` of the amount is its part of it;
    ``machine`` is the last. ``on`` is the machine whether or not that has a price.

    Who paid in two currencies, or for a part of the time at no known price, has a line for each of these.
    """

    name: str
    kind: str
    seconds: float
    paid_seconds: float
    amount: Decimal | None
    currency: str
    unconfirmed: float = 0.0
    starts: int = 0
    typical: bool = False
    machine: str = ""
    backdated: float = 0.0
    whole: Decimal | None = None
    aboard: float = 0.0
    shared: Decimal = Decimal(0)
    on: str = ""
    shares: tuple[tuple[str, Decimal], ...] = ()


def lines(
    lives: Iterable[Life],
    terms: Iterable[Terms],
    meters: Iterable[Meter],
    since: float,
    until: float,
    now: float,
) -> tuple[Line, ...]:
    """Everybody who was there between ``since`` and ``until``, by name. What goes on counts until ``now``.

    ``lives`` must be complete as far back as the machine lives go that reach into the time, and as far ahead:
    what a machine cost while nobody was on it is shared by who was on it before and after.
    """
    tariff = Tariff(terms)
    measured: dict[str, list[Meter]] = defaultdict(list)
    for meter in meters:
        measured[meter.payer].append(meter)
    found: dict[str, list[Spell]] = {}
    by_payer: dict[str, list[Life]] = defaultdict(list)
    for life in _near(lives, tariff.machines(), since, until, now):
        by_payer[life.payer].append(life)
    for payer, own in by_payer.items():
        found[payer] = spells(own, tariff, measured[payer], micros(now))
    books = _Books((micros(since), micros(until)))
    for payer, known in found.items():
        books.enter(payer, known, shared=payer in tariff.machines())
    _share(found, tariff, books)
    return books.lines(tariff)


def _near(
    lives: Iterable[Life], machines: set[str], since: float, until: float, now: float
) -> Iterable[Life]:
    """Those that the time may have to do with: in it, or in a life of a machine that reaches into it."""
    ends = [(life, now if life.end is None else life.end) for life in lives]
    reach = [
        (life.start, end) for life, end in ends if life.payer in machines and _touch(life, end, since, until)
    ]
    first, last = min([since, *(start for start, _ in reach)]), max([until, *(end for _, end in reach)])
    return [life for life, end in ends if _touch(life, end, first, last)]


def _touch(life: Life, end: float, since: float, until: float) -> bool:
    """With a second to spare: a length of no time, and half a microsecond, have to be right as well."""
    return life.start <= until + 1 and max(end, life.start) >= since - 1


def _share(found: Mapping[str, Sequence[Spell]], tariff: Tariff, books: _Books) -> None:
    """Enter what the machines cost, with those who were on them."""
    machines = tariff.machines()
    guests: dict[str, dict[str, list[Span]]] = defaultdict(dict)
    for payer, known in found.items():
        for spell in known:
            for charge in spell.charges:
                if charge.machine:
                    guests[charge.machine].setdefault(payer, []).append((charge.start, charge.end))
    for machine in machines & found.keys():
        presence = {name: union(spans) for name, spans in guests[machine].items()}
        for spell in found[machine]:
            for part in parts(spell, presence, books.span):
                account = books.add(part.payer or machine, part.currency)
                account.owe(part.amount, typical=part.typical)
                if part.payer:
                    account.shared += part.amount
                    account.machine, account.on = account.machine or machine, account.on or machine
                books.add(machine, part.currency).take(part)


@dataclass(slots=True)
class _Account:
    """One line while it is written."""

    seconds: int = 0
    paid: int = 0
    amount: Fraction = field(default_factory=Fraction)
    unconfirmed: int = 0
    starts: int = 0
    typical: bool = False
    machine: str = ""
    backdated: int = 0
    whole: Fraction = field(default_factory=Fraction)
    aboard: int = 0
    shared: Fraction = field(default_factory=Fraction)
    on: str = ""
    shares: dict[str, Fraction] = field(default_factory=dict)

    def owe(self, amount: Fraction, *, typical: bool) -> None:
        self.amount += amount
        self.typical |= typical

    def take(self, part: Part) -> None:
        """A part of what a machine cost, whoever owes it."""
        self.whole += part.amount
        self.typical |= part.typical
        if part.payer:
            self.shares[part.payer] = self.shares.get(part.payer, Fraction(0)) + part.amount

    def by_size(self) -> tuple[tuple[str, Decimal], ...]:
        found = sorted(self.shares.items(), key=lambda one: (-one[1], one[0]))
        return tuple((name, decimal(part)) for name, part in found)


class _Books:
    """The accounts of one time: an end is in it that is after its beginning, up to its own end."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._accounts: dict[tuple[str, str], _Account] = defaultdict(_Account)

    def add(self, payer: str, currency: str) -> _Account:
        return self._accounts[payer, currency]

    def enter(self, payer: str, known: Sequence[Spell], *, shared: bool) -> None:
        """With ``shared`` the hours only: what it cost is entered where it is shared."""
        since, until = self.span
        for spell in known:
            doubtful = spell.end - spell.unconfirmed
            for charge in spell.charges:
                start, end = max(charge.start, since), min(charge.end, until)
                starts = charge.start == spell.start and since <= spell.start < until
                if end <= start and not starts:
                    continue
                account = self.add(payer, charge.currency)
                account.starts += starts
                account.machine = charge.machine or account.machine
                account.on = charge.rate.on or account.on
                length = max(0, end - start)
                account.seconds += length
                account.paid += length
                account.unconfirmed += max(0, end - max(start, doubtful))
                account.backdated += length * charge.backdated
                account.aboard += length * bool(charge.rate.on)
                if not shared and not charge.machine:
                    account.owe(charge.per_micro * length, typical=charge.typical)
            if since < spell.end <= until and spell.ending:
                self._round(payer, spell.ending, shared=shared)

    def _round(self, payer: str, ending: Ending, *, shared: bool) -> None:
        account = self.add(payer, ending.currency)
        account.paid += ending.extra
        if not shared:
            account.owe(ending.amount, typical=ending.typical)

    def lines(self, tariff: Tariff) -> tuple[Line, ...]:
        machines = tariff.machines()
        return tuple(
            Line(
                name=payer,
                kind=tariff.kind(payer),
                seconds=account.seconds / SECOND,
                paid_seconds=account.paid / SECOND,
                amount=decimal(account.amount) if currency else None,
                currency=currency,
                unconfirmed=account.unconfirmed / SECOND,
                starts=account.starts,
                typical=account.typical,
                machine=account.machine,
                backdated=account.backdated / SECOND,
                whole=decimal(account.whole) if currency and payer in machines else None,
                aboard=account.aboard / SECOND,
                shared=decimal(account.shared),
                on=account.on,
                shares=account.by_size(),
            )
            for (payer, currency), account in sorted(self._accounts.items())
        )
