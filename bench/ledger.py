"""How long it takes to read a month, or a day, from a journal of a million events and make lives of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from sqlalchemy import insert

from bench.figures import Figure, folder
from poorwill.core.ledger import lives
from poorwill.core.model import Now
from poorwill.store import database
from poorwill.store.event import Entry, Kind, Row, row_of
from poorwill.store.journal import FILE, read_only
from poorwill.store.schema import event

BEGIN, YEAR, DAY = 1_760_000_000.0, 365 * 86400.0, 86400.0
SERVICES = 20
WAKE = (Kind.PHASE, Kind.WOKEN, Kind.START, Kind.STARTED, Kind.PHASE, Kind.THERE, Kind.READY, Kind.PHASE)
SLEEP = (Kind.USED, Kind.PHASE, Kind.STOP, Kind.PHASE, Kind.GONE, Kind.STOPPED, Kind.PHASE)
OF_NO_INSTANCE = (Kind.PHASE, Kind.WOKEN, Kind.USED)


def measure(events: int = 1_000_000) -> list[Figure]:
    """Twenty services, each waking and sleeping more than a hundred times a day for a year."""
    with folder() as home:
        path = home / FILE
        database.prepare(path)
        with database.engine(path, read_only=False).begin() as connection:
            rows = _rows(events)
            while some := list(itertools.islice(rows, 10_000)):
                connection.execute(insert(event), some)
        found = []
        for name, since, until in (
            ("the last month", BEGIN + YEAR - 30 * DAY, BEGIN + YEAR),
            ("a day half a year ago", BEGIN + YEAR / 2, BEGIN + YEAR / 2 + DAY),
        ):
            with read_only(home) as journal:
                begun = time.perf_counter()
                count = len(lives(journal.ledger(since, until), BEGIN + YEAR))
                took = time.perf_counter() - begun
            found.append(Figure(f"{events} events: {name}, {count} lives", took * 1000, "ms"))
        return found


def _rows(events: int) -> Iterator[Row]:
    numbers = itertools.count()
    for life in itertools.count():
        for service in range(SERVICES):
            name = f"service-{service}"
            for kind in (*WAKE, *SLEEP):
                number = next(numbers)
                if number == events:
                    return
                at = number * YEAR / events
                instance = "" if kind in OF_NO_INSTANCE else f"{name}-1"
                detail = {"life": f"life-{life}", "since": None} if kind in (Kind.THERE, Kind.GONE) else {}
                yield row_of(Entry(kind, name, instance, "as it was", detail), Now(BEGIN + at, at, "boot"))
