"""What is read for a month is all that the month needs, and little more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete

from poorwill.core.ledger import lives
from poorwill.core.model import Now
from poorwill.store.event import Entry, Event, Kind, row_of
from poorwill.store.journal import Journal, read_only
from poorwill.store.ledger import select_ledger
from poorwill.store.queries import insert_events
from poorwill.store.schema import metadata

MONTH = 1000.0
LIFE = [
    (10, Kind.START, "1"),
    (12, Kind.THERE, "1"),
    (15, Kind.PHASE, ""),
    (15, Kind.READY, "1"),
    (20, Kind.USED, ""),
    (90, Kind.STOP, "1"),
    (95, Kind.GONE, "1"),
    (95, Kind.STOPPED, "1"),
]


def life(begin: float, service: str = "a", length: float = 1.0) -> list[tuple[float, Entry]]:
    return [(begin + after * length, Entry(kind, service, instance)) for after, kind, instance in LIFE]


def read(events: Sequence[tuple[float, Entry]], since: float, until: float, lost: int = 0) -> list[Event]:
    """The answer of a journal with these events at these seconds; the first ``lost`` are cut off."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        if events:
            insert_events(connection, [row_of(entry, Now(at, at, "b")) for at, entry in events])
        connection.execute(delete(metadata.tables["event"]).where(metadata.tables["event"].c.id <= lost))
        return select_ledger(connection, since, until)


def test_a_month_with_the_lives_at_its_ends_whole() -> None:
    events = [each for begin in range(0, 10_000, 500) for each in life(float(begin))]
    events += life(4950.0, "b", length=2.0)
    found = read(sorted(events, key=lambda each: each[0]), 5000.0, 6000.0)
    inside = [one for one in lives(found, 20_000.0) if one.start < 6000.0 and (one.end or 0.0) > 5000.0]
    assert [(one.payer, one.start, one.end) for one in inside] == [
        ("b", 4970.0, 5140.0), ("a", 5010.0, 5095.0), ("a", 5510.0, 5595.0)
    ]  # fmt: skip
    assert len(found) < 50


def test_what_was_open_before_and_goes_on_after_with_nothing_in_between() -> None:
    found = read([*life(0.0)[:4], (9000.0, Entry(Kind.UP))], 5000.0, 6000.0)
    (one,) = lives(found, 9000.0)
    assert (one.start, one.end) == (10.0, None)


def test_an_empty_journal_and_a_month_with_no_data() -> None:
    assert read([], 0.0, 1e10) == []
    assert lives(read(life(0.0), 5000.0, 6000.0), 9000.0)[0].end == 95.0


def test_terms_in_force_and_what_is_measured_across_the_ends() -> None:
    events = [(at, Entry(kind, "a", detail={"at": at})) for kind in (Kind.TERMS, Kind.METER, Kind.USED)
              for at in (100.0, 200.0, 1100.0, 1200.0, 2100.0, 2200.0)]  # fmt: skip
    events += [(at, Entry(Kind.TERMS, "", detail={"at": at})) for at in (50.0, 150.0, 1150.0, 2150.0)]
    found = read(sorted(events, key=lambda each: each[0]), MONTH, 2 * MONTH)
    of = {kind: [(each.service, each.at) for each in found if each.kind is kind] for kind in Kind}
    assert of[Kind.TERMS] == [("", 150.0), ("a", 200.0), ("a", 1100.0), ("", 1150.0), ("a", 1200.0)]
    assert of[Kind.METER] == of[Kind.USED] == [("a", 1100.0), ("a", 1200.0), ("a", 2100.0)]


def test_a_journal_that_was_cut_off_says_since_when_it_tells() -> None:
    found = read([(5.0, Entry(Kind.PHASE, "b")), *life(0.0)], 0.0, MONTH, lost=3)
    assert found[0].id == 4
    (one,) = lives(found, MONTH)
    assert (one.start, one.end, one.unconfirmed) == (15.0, 95.0, 80.0)


def test_a_clock_that_was_wrong_for_a_while_hides_nothing() -> None:
    events = [*life(0.0)[:4], *life(50_000.0)[4:], *life(500.0)]
    found = lives(read(events, 0.0, MONTH), MONTH)
    assert len(found) == 2


async def test_the_same_from_the_journal_and_from_the_archive(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    written = await journal.append(now, Entry(Kind.START, "a", "a-1"), Entry(Kind.NOTED, "a"))
    found = await journal.ledger(now.wall - 1, now.wall + 1)
    await journal.close()
    with read_only(tmp_path) as archive:
        assert archive.ledger(now.wall - 1, now.wall + 1) == found == written[:1]


@pytest.mark.parametrize("rounds", [40, 400])
def test_no_table_is_walked(rounds: int) -> None:
    """A month costs the same in a long journal as in a short one."""
    assert _steps(rounds) < 1.3 * _steps(20)


def _steps(rounds: int) -> int:
    """Instructions that SQLite runs to tell the same month of a journal of so many months."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        rows = [row_of(entry, Now(at, at, "b")) for n in range(rounds) for at, entry in life(n * MONTH)]
        insert_events(connection, rows)
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(tick, 10)
        select_ledger(connection, 10 * MONTH, 11 * MONTH)
        raw.set_progress_handler(None, 0)
    return count
