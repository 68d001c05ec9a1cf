"""A month that was lived through: October 2026 in Shanghai, with visitors who really came once.

The visits are those of data/visits.csv. What becomes of them is worked out here anew, without the program's
own rules: a service is there in its window and for ``idle`` after use, a start takes ``wake`` seconds and a
stop ``END``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.core.timetables import table

from poorwill.accounts.record import Item, Record, Savings
from poorwill.advisor.suggest_gpu import Card
from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.life import Life
from poorwill.core.model import Service
from poorwill.core.period import Per, period_of
from poorwill.core.price import Price
from poorwill.core.stretch import Stretch
from poorwill.core.terms import Terms
from poorwill.store.event import Event, Kind

ZONE = "Asia/Shanghai"
FIRST = datetime(2026, 10, 1, tzinfo=ZoneInfo(ZONE))
START = FIRST.timestamp()
MONTH = period_of(Per.MONTH, START, ZONE)
DATA = Path(__file__).parents[1] / "data" / "visits.csv"
GIB = 1024**3
END = 20.0
CURRENCY = "CNY"
CARDS = (Card("L4", 24 * GIB, Decimal("2.60"), CURRENCY), Card("A10G", 24 * GIB, Decimal("3.90"), CURRENCY))


@dataclass(frozen=True)
class Lived:
    """A service and how it was lived in. ``window`` is (first hour, last hour) from Monday to Friday; every
    ``every``-th of the recorded visits is one to it.
    """

    name: str
    price: str
    every: int = 1
    window: tuple[int, int] | None = None
    idle: float = 600.0
    wake: float = 42.0
    memory: int = 0

    @property
    def rules(self) -> Service:
        hours = f"Mon-Fri {self.window[0]:02}:00-{self.window[1]:02}:00" if self.window else ""
        timetable = table(hours, zone=ZONE) if hours else None
        return Service(self.name, idle_after=self.idle, timetable=timetable)

    def windows(self) -> Iterator[tuple[float, float]]:
        for day in range(31):
            date = FIRST + timedelta(days=day)
            if self.window and date.weekday() < 5:
                yield tuple((date + timedelta(hours=hour)).timestamp() for hour in self.window)  # type: ignore[misc]


SERVICES = (
    Lived("kb", "3.90", window=(8, 19), memory=9 * GIB),
    Lived("draw", "2.60", every=3, idle=1800.0, wake=95.0, memory=19 * GIB),
    Lived("old-wiki", "0.80", every=0, window=(10, 12)),
)


def visits(every: int) -> list[tuple[float, float]]:
    """From when to when somebody did something: each visit is up to four of these, with pauses to read."""
    lines = DATA.read_text(encoding="utf-8").splitlines()
    moments = [START + int(line) for line in lines if not line.startswith("#")]
    uses = []
    for at in moments[::every] if every else []:
        for turn in range(1 + int(at) % 4):
            begin = at + turn * (180 + int(at) % 7 * 60)
            uses.append((begin, begin + 40 + int(at) % 5 * 25))
    return uses


@dataclass
class Told:
    """What is written down of one service."""

    lives: list[Life]
    stretches: list[Stretch]
    events: list[Event]


def live(one: Lived) -> Told:
    """Walks through the month: what is wanted by the hours, and what by visitors."""
    told, ids = Told([], [], []), iter(range(1, 10**6))

    def write(at: float, kind: Kind, reason: str = "", **detail: float) -> None:
        instance = "" if kind is Kind.WOKEN else f"{one.name}-1"
        told.events.append(Event(next(ids), at, at, "boot", kind, one.name, instance, reason, detail))

    pending = [("window", *span) for span in one.windows()]
    pending += [("visit", *span) for span in visits(one.every)]
    begun = until = -1.0
    for what, start, end in sorted(pending, key=lambda item: item[1]):
        delay = 0.0
        if start > until:
            if begun >= 0:
                _stop(one, told, write, begun, until)
            begun, delay = start, one.wake
            if what == "visit":
                write(start, Kind.WOKEN, "woken by a request")
            write(start, Kind.START, "requests are waiting")
            write(start + one.wake, Kind.READY, seconds=one.wake)
            until = start + one.wake + one.idle
        if what == "visit":
            memory = one.memory - int(start) % GIB if one.memory else None
            told.stretches.append(
                Stretch(
                    one.name, start + delay, end + delay, 3, int(delay > 0), delay, delay, gpu_memory=memory
                )
            )
        until = max(until, end + delay + (one.idle if what == "visit" else 0.0))
    if begun >= 0:
        _stop(one, told, write, begun, until)
    return told


def _stop(one: Lived, told: Told, write: object, begun: float, until: float) -> None:
    assert callable(write)
    write(until, Kind.STOP, "no activity")
    write(until + END, Kind.STOPPED, "it is gone")
    told.lives.append(Life(one.name, f"{one.name}-1", begun, until + END))


def seconds(lives: Sequence[Life]) -> float:
    """Those in the month."""
    return sum(min(life.end or MONTH.stop, MONTH.stop) - life.start for life in lives)


def line(one: Lived, there: float, starts: int) -> Line:
    amount = Decimal(one.price) * Decimal(repr(there)) / 3600
    return Line(one.name, "service", there, there, amount, CURRENCY, starts=starts)


def budget(payer: str, limit: int, unit: str = HOURS, per: Per = Per.MONTH) -> Budget:
    return Budget(payer, per, ZONE, Decimal(limit), unit)


def october(*, now: float = MONTH.stop + 6 * 3600, services: Sequence[Lived] = SERVICES) -> Record:
    """The record of the whole month; with an earlier ``now`` nothing is cut but what a Record cuts itself."""
    told = {one.name: live(one) for one in services}
    lines = [line(one, seconds(told[one.name].lives), len(told[one.name].lives)) for one in services]
    spent = sum((one.amount or Decimal(0) for one in lines), Decimal(0))
    always = sum((Decimal(one.price) for one in services), Decimal(0)) * 744  # hours of 31 days
    return Record(
        period=MONTH,
        now=now,
        known_from=START - 40 * 86400,
        use_from=START - 40 * 86400,
        lives=[life for one in told.values() for life in one.lives],
        stretches=[stretch for one in told.values() for stretch in one.stretches],
        terms=[
            Terms(one.name, START - 86400, Price(CURRENCY, Decimal(one.price), gpu="A10G"))
            for one in services
        ],
        events=sorted((event for one in told.values() for event in one.events), key=lambda event: event.at)
        + list(_troubles()),
        lines=lines,
        before=[line(one, 0.83 * seconds(told[one.name].lives), 40) for one in services],
        saved=[Savings(always - spent, always, CURRENCY)],
        services={one.name: one.rules for one in services},
        items=[
            Item("storage", Decimal(35), CURRENCY, Decimal(50)),
            Item("gateway", Decimal(8), CURRENCY, Decimal(10)),
        ],
        budgets=[budget("kb", 240), budget("kb", 1200, CURRENCY), budget("draw", 600)],
        spent={MONTH: (*lines, Line("", "cost", 0.0, 0.0, Decimal(43), CURRENCY))},
        cards=CARDS,
    )


def _troubles() -> Iterator[Event]:
    at = START + 12.5 * 86400
    debt = {"cause": "stop", "since": at}
    stuck = "the stop failed: 503 Service Unavailable"
    yield Event(900_001, at, at, "boot", Kind.DEBT, "draw", "draw-1", stuck, debt)
    yield Event(900_002, at + 2520, at, "boot", Kind.SETTLED, "draw", "draw-1", "it is gone", debt)
    no_stock = "no GPU is free: <b>sold out</b> | try `later`"
    yield Event(900_003, at + 90_000, at, "boot", Kind.FAILED, "draw", "draw-1", no_stock)
