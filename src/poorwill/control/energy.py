"""Measures what hardware of one's own draws, for those whose price says so, and writes it down.

``measure`` is told by name who these are. A service has the cards that its ``gpu:`` names, or with none all
of its host; a machine has all of its own. What a card draws is split equally among the services that are
there on it, also those that are not measured: nobody can tell whose work it was. What cannot be measured is
left out, never guessed: there the stated watts count (``core.bill``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

import structlog

from poorwill import clock
from poorwill.control.apply import Spawn
from poorwill.control.facts import Facts, Tenancy
from poorwill.control.power import Draw, draws
from poorwill.control.recorder import Recorder
from poorwill.core.draw import Drawn, Running, sample
from poorwill.core.model import Condition
from poorwill.errors import ProviderError
from poorwill.providers.base import Shell
from poorwill.store.journal import Entry, Kind

EVERY = 10.0
"""Seconds between two samples."""

WRITE_EVERY = 900.0

ANSWER_WITHIN = 8.0

log = structlog.get_logger()


class Energy:
    """``shell(machine)`` is where commands run; an empty name is this host. ``_asking``: where a question is
    under way; ``_silent``: where nobody could tell at the last one.
    """

    def __init__(self, recorder: Recorder, spawn: Spawn, shell: Callable[[str], Shell]) -> None:
        self._recorder = recorder
        self._spawn = spawn
        self._shell = shell
        self._measured: frozenset[str] = frozenset()
        self._running: dict[str, Running] = {}
        self._services: Mapping[str, Facts] = {}
        self._asking: set[str] = set()
        self._silent: set[str] = set()
        self._changed = asyncio.Event()
        self._ended = False

    def measure(self, names: Collection[str]) -> None:
        """Services, jobs and machines whose power is to be measured from now on."""
        self._measured = frozenset(names)
        self._changed.set()

    async def run(self, services: Mapping[str, Facts]) -> None:
        """``services`` are those in charge, whenever it is looked at."""
        self._services = services
        while not self._ended:
            self._changed.clear()
            self._end_what_went()
            if not self._measured:
                await self._changed.wait()
            for machine in {_host(facts) for facts in self._there()} - self._asking:
                self._asking.add(machine)
                self._spawn(self._ask(machine))
            await asyncio.sleep(EVERY)

    def end(self) -> None:
        """Write down all that is known: the program leaves."""
        self._ended = True
        self._changed.set()
        for name in [*self._running]:
            self._write(name, self._running.pop(name).ended())

    def _there(self) -> list[Facts]:
        """Those to be measured that are there, or may be."""
        return [
            facts for name, facts in self._services.items() if name in self._measured and _is_there(facts)
        ]

    def _end_what_went(self) -> None:
        there = {facts.name for facts in self._there()}
        for name in self._running.keys() - there:
            self._write(name, self._running.pop(name).ended())

    async def _ask(self, machine: str) -> None:
        why = ""
        cards: list[Draw] = []
        try:
            cards = await draws(self._shell(machine), ANSWER_WITHIN)
        except ProviderError as error:
            why = str(error)
        except Exception as error:  # a full disk, say: what only measures must not end the program
            log.exception("what the GPUs draw cannot be asked", machine=machine)
            why = f"{type(error).__name__}: {error}"
        finally:
            self._asking.discard(machine)
        if not why:
            self._silent.discard(machine)
            self._take(machine, cards, clock.now().mono)
        elif machine not in self._silent:
            self._silent.add(machine)
            log.info("what the GPUs draw is not known now", machine=machine, why=why)

    def _take(self, machine: str, cards: list[Draw], at: float) -> None:
        """A sample for each that is still there; none for those with a card that tells nothing."""
        if self._ended:
            return
        among = self._sharers(machine, cards)
        for facts in self._there():
            if _host(facts) != machine:
                continue
            alone = facts.tenancy is Tenancy.MACHINE
            watts = _sum((card.watts, 1 if alone else among[card.uuid]) for card in _cards(facts, cards))
            if watts is not None:
                before = self._running.get(facts.name)
                after, drawn = sample(before, at, watts, every=EVERY, write_every=WRITE_EVERY)
                self._running[facts.name] = after
                self._write(facts.name, drawn)

    def _sharers(self, machine: str, cards: list[Draw]) -> Counter[str]:
        """How many services are there on each card: those that name it, and those that are measured."""
        among: Counter[str] = Counter()
        for name, facts in self._services.items():
            takes_part = facts.seat is not None or name in self._measured
            if facts.tenancy is not Tenancy.MACHINE and facts.machine == machine and takes_part:
                among.update(card.uuid for card in _cards(facts, cards) if _is_there(facts))
        return among

    def _write(self, name: str, drawn: Iterable[Drawn]) -> None:
        now = clock.now()
        for one in drawn:
            ahead = now.wall - now.mono
            detail = {
                "since": round(one.since + ahead, 3),
                "until": round(one.until + ahead, 3),
                "kwh": str(one.kwh),
            }
            self._recorder.note(now, Entry(Kind.METER, name, detail=detail))


def _is_there(facts: Facts) -> bool:
    return any(place.condition is not Condition.ABSENT for place in facts.places.values())


def _host(facts: Facts) -> str:
    return facts.name if facts.tenancy is Tenancy.MACHINE else facts.machine


def _cards(facts: Facts, cards: list[Draw]) -> list[Draw]:
    """Those that are its own, or that it shares."""
    if facts.seat is None or facts.tenancy is Tenancy.MACHINE:
        return cards
    names = [card.name for card in facts.seat.share.cards]
    return [card for card in cards if any(map(card.is_called, names))]


def _sum(parts: Iterable[tuple[float | None, int]]) -> float | None:
    """None when there are none, or one of them is not known."""
    known = [None if watts is None else watts / among for watts, among in parts]
    if not known or None in known:
        return None
    return sum(watts for watts in known if watts is not None)
