"""The books as they are read from a journal, and what a time cost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from tests.accounts.written import ZONE, Line, alive, life, terms, wall, whole, write

from poorwill import clock
from poorwill.accounts.account import account, as_json
from poorwill.accounts.asked import Asked, asked, current
from poorwill.accounts.books import Books, read
from poorwill.core.costs import Cost
from poorwill.core.model import Now
from poorwill.core.period import Per
from poorwill.core.price import Price
from poorwill.core.statement import Exchange
from poorwill.errors import BadInput, StateError
from poorwill.store.journal import Entry, Journal, Kind

NOW = wall("2025-03-20 12:00")
PRICE = Price("CNY", Decimal("3.90"), gpu="A10G")
STORAGE = Cost("storage", Decimal(31), "CNY", "month", ZONE, Decimal(50))


async def books(folder: Path, lines: list[Line], time: Asked, now: float = NOW) -> Books:
    return read(await write(folder / "state", lines), time.start, time.stop, now)


def month(text: str = "2025-03") -> Asked:
    found = asked(NOW, ZONE, month=text)
    assert found is not None
    return found


async def test_a_month_of_one_service(tmp_path: Path) -> None:
    lines = [
        whole("2025-02-01", "kb", "idle", costs=[STORAGE.as_json()]),
        terms("2025-02-01", "kb", PRICE),
        terms("2025-02-01", "idle", PRICE),
        *life("kb", "2025-02-28 22:00", "2025-03-01 02:00"),
        *life("kb", "2025-03-10 09:00", "2025-03-10 17:30"),
        alive("2025-03-20 12:00"),
    ]
    told = account(await books(tmp_path, lines, month()), month())
    kb, idle = told.lines[1], told.lines[0]
    assert (kb.seconds, kb.amount, kb.starts) == (10.5 * 3600, Decimal("40.95"), 1)
    assert (idle.name, idle.seconds, idle.amount) == ("idle", 0, 0)
    [storage] = told.fixed
    assert storage.amount == Decimal("19.5")  # 19 and a half of 31 days
    assert told.total == {"CNY": Decimal("60.45")}
    assert told.remarks == ()
    always = Decimal(468) * Decimal("3.90")
    assert told.saved_total == {"CNY": always * 2 - Decimal("40.95")}


async def test_what_goes_on_while_nobody_runs_is_counted_and_said(tmp_path: Path) -> None:
    lines = [
        whole("2025-03-20 10:00", "kb"),
        terms("2025-03-20 10:00", "kb", PRICE),
        *life("kb", "2025-03-20 10:00"),
    ]
    told = account(await books(tmp_path, lines, month()), month())
    assert told.lines[0].amount == Decimal("7.80")
    assert "for 2h nobody could tell whether kb was there; it is counted" in told.remarks


async def test_a_journal_that_begins_in_the_middle_says_so(tmp_path: Path) -> None:
    lines = [whole("2025-03-05 08:00", "kb"), terms("2025-03-05 08:00", "kb", PRICE)]
    lines += [alive("2025-03-20 12:00")]
    found = await books(tmp_path, lines, month("2025-02"))
    assert account(found, month()).remarks == (
        "the journal begins on 2025-03-05 08:00: what was before is not in these figures",
    )
    assert account(found, month("2025-02")).remarks == (
        "nothing is known of 2025-02: the journal begins on 2025-03-05 08:00",
    )
    assert account(found, month("2025-04")).remarks == ("2025-04 has not begun yet",)


async def test_an_empty_journal_and_none(tmp_path: Path) -> None:
    told = account(await books(tmp_path, [], month()), month())
    assert (told.lines, told.total, told.remarks) == ((), {}, ("the journal is empty: nothing ran yet",))
    assert as_json(told)["total"] == []
    with pytest.raises(StateError, match="there is no journal"):
        read(tmp_path, 0, 1, NOW)


async def test_a_journal_cut_in_half_still_bills_what_it_knows(tmp_path: Path) -> None:
    """The first half is gone: it begins with the end of a life, and nobody knows the terms of then."""
    lines = [
        *life("kb", "2025-03-03 09:00", "2025-03-03 10:00")[2:],
        whole("2025-03-04", "kb"),
        terms("2025-03-04", "kb", PRICE),
        *life("kb", "2025-03-10 09:00", "2025-03-10 10:00"),
    ]
    told = account(await books(tmp_path, lines, month()), month())
    assert told.lines[0].seconds == pytest.approx(3600)
    assert any("the journal begins on 2025-03-03 10:00" in remark for remark in told.remarks)


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("id > 4", ", and 4 lines before are missing: what was before is not in these figures"),
        ("id NOT BETWEEN 4 AND 6", "3 lines of the journal of this time are missing"),
        ("id < 9", ""),  # nobody can know that there was more
        ("id NOT BETWEEN 2 AND 9", "8 lines of the journal of this time are missing"),
    ],
)
async def test_lines_that_are_missing_are_said(tmp_path: Path, kept: str, words: str) -> None:
    lines = [whole("2025-03-01", "kb"), terms("2025-03-01", "kb", PRICE)]
    for day in (3, 10):
        lines += life("kb", f"2025-03-{day:02} 09:00", f"2025-03-{day:02} 10:00")
    folder = await write(tmp_path / "state", lines)
    with closing(sqlite3.connect(folder / "journal.db")) as file:
        file.execute("DROP TRIGGER event_no_delete")
        file.execute(f"DELETE FROM event WHERE NOT ({kept})")
        file.commit()
    told = account(read(folder, month().start, month().stop, NOW), month())
    assert any(words in remark for remark in told.remarks) if words else not _about_the_journal(told.remarks)
    assert all(line.seconds >= 0 for line in told.lines)


def _about_the_journal(remarks: tuple[str, ...]) -> list[str]:
    return [remark for remark in remarks if "missing" in remark]


async def test_a_machine_is_shared_by_who_was_there_before_the_time_too(tmp_path: Path) -> None:
    """Who was on it yesterday pays a part of what it cost while nobody was on it today."""
    lines = [
        whole("2025-03-01", "gpu", "a", "b"),
        terms("2025-03-01", "gpu", Price("CNY", Decimal(6)), kind="machine"),
        terms("2025-03-01", "a", on="gpu"),
        terms("2025-03-01", "b", on="gpu"),
        *life("gpu", "2025-03-09 20:00", "2025-03-10 02:00"),
        *life("a", "2025-03-09 20:00", "2025-03-09 22:00"),
        *life("b", "2025-03-09 22:00", "2025-03-09 23:00"),
    ]
    day = asked(NOW, ZONE, day="2025-03-10")
    assert day
    told = {one.name: one.amount for one in account(await books(tmp_path, lines, day), day).lines}
    assert told == {"a": Decimal(8), "b": Decimal(4), "gpu": Decimal(0)}


async def test_the_same_whatever_time_is_asked_for(tmp_path: Path) -> None:
    """Days read one by one add up to the month read at once."""
    lines = [
        whole("2025-03-01", "gpu", "a"),
        terms("2025-03-01", "gpu", Price("CNY", Decimal(6), step=3600), kind="machine"),
    ]
    lines += [terms("2025-03-01", "a", on="gpu")]
    for day in (1, 3, 5):
        lines += life("gpu", f"2025-03-{day:02} 22:30", f"2025-03-{day + 1:02} 03:10")
        lines += life("a", f"2025-03-{day:02} 23:00", f"2025-03-{day + 1:02} {day % 3:02}:30")
    folder = await write(tmp_path / "state", lines)
    whole_month = read(folder, month().start, month().stop, NOW).lines(month())
    summed = dict.fromkeys((one.name for one in whole_month), Decimal(0))
    for number in range(1, 8):
        day = asked(NOW, ZONE, day=f"2025-03-{number:02}")
        assert day
        for line in read(folder, day.start, day.stop, NOW).lines(day):
            summed[line.name] += line.amount or 0
    assert summed == {one.name: one.amount for one in whole_month}
    assert sum(summed.values()) == 3 * 5 * 6


async def test_two_currencies_are_told_apart_and_together_only_at_a_stated_rate(tmp_path: Path) -> None:
    rates = {"USD": Exchange(Decimal("7.12"), "2025-03-01")}
    lines = [
        whole("2025-03-01", "a", "b"),
        terms("2025-03-01", "a", PRICE),
        terms("2025-03-01", "b", Price("USD", Decimal("0.50"))),
        *life("a", "2025-03-10 09:00", "2025-03-10 10:00"),
        *life("b", "2025-03-10 09:00", "2025-03-10 11:00"),
    ]
    told = as_json(account(await books(tmp_path / "1", lines, month()), month()))
    assert told["total"] == [{"currency": "CNY", "amount": 3.9}, {"currency": "USD", "amount": 1.0}]
    assert told["converted"] is None
    lines.append(whole("2025-03-02", "a", "b", rates=rates))
    told = as_json(account(await books(tmp_path / "2", lines, month()), month()))
    rate = {"currency": "USD", "rate": 7.12, "date": "2025-03-01"}
    assert told["converted"] == {"currency": "CNY", "amount": 11.02, "rates": [rate]}
    assert "1 USD is 7.12 CNY, as stated for 2025-03-01" in told["remarks"]


async def test_what_has_no_price_or_a_typical_one_is_said(tmp_path: Path) -> None:
    typical = Price("USD", Decimal(1), gpu="A10G", typical=True, source="a list of 2025")
    lines = [
        whole("2025-03-01", "a", "b", "c"),
        terms("2025-03-01", "a"),
        terms("2025-03-01", "b", typical),
        terms("2025-03-12", "c", PRICE),
    ]
    for name in ("a", "b", "c"):
        lines += life(name, "2025-03-10 09:00", "2025-03-10 10:00")
    lines += [alive("2025-03-20 12:00")]
    told = as_json(account(await books(tmp_path, lines, month()), month()))
    amounts = {one["name"]: (one["seconds"], one["amount"], one["typical"]) for one in told["services"]}
    assert amounts == {"a": (3600, None, False), "b": (3600, 1.0, True), "c": (3600, 3.9, False)}
    assert told["remarks"] == [
        "a has no price: say what an hour costs, price: {per_hour: 3.90}",
        "b is counted at a typical price (a list of 2025); state your own with per_hour",
        "the price of c was only stated later; 1h before that are counted at it",
    ]


async def test_only_one_of_them(tmp_path: Path) -> None:
    mine = Cost("disk", Decimal(31), "CNY", "month", ZONE, service="a")
    lines = [whole("2025-03-01", "a", "b", costs=[STORAGE.as_json(), mine.as_json()])]
    lines += [terms("2025-03-01", "a", PRICE), terms("2025-03-01", "b"), alive("2025-03-02")]
    told = account(await books(tmp_path, lines, month()), month(), "a")
    assert [one.name for one in told.lines] == ["a"]
    assert [one.cost.name for one in told.fixed] == ["disk"]
    assert [one.name for one in told.saved] == ["a"]


async def test_what_was_measured_and_used_is_in_the_books(tmp_path: Path) -> None:
    meter = Entry(
        Kind.METER,
        "a",
        detail={"since": wall("2025-03-10 09:00"), "until": wall("2025-03-10 09:15"), "kwh": "0.05"},
    )
    used = Entry(Kind.USED, "a", detail={"start": 1.0, "end": 2.0, "requests": 3})
    found = await books(tmp_path, [("2025-03-10 09:15", meter), ("2025-03-10 09:16", used)], month())
    assert [(one.payer, one.kwh) for one in found.meters] == [("a", Decimal("0.05"))]
    assert [(one.service, one.requests) for one in found.stretches] == [("a", 3)]


def test_times_as_people_ask_for_them() -> None:
    assert current(Per.DAY, NOW, ZONE) == Asked("2025-03-20", wall("2025-03-20"), wall("2025-03-21"), "day")
    assert asked(NOW, ZONE) is None
    assert asked(NOW, ZONE, week="this") == current(Per.WEEK, NOW, ZONE)
    assert asked(NOW, ZONE, week="2025-03-19") == Asked(
        "week of 2025-03-17", wall("2025-03-17"), wall("2025-03-24"), "week"
    )
    free = asked(NOW, ZONE, since="2025-03-01 08:30", until="2025-03-02")
    assert free == Asked("2025-03-01 08:30 to 2025-03-02", wall("2025-03-01 08:30"), wall("2025-03-02"))
    open_end = asked(NOW, ZONE, since="2025-03-01T00:00:00Z")
    assert open_end
    assert (open_end.start, open_end.stop) == (wall("2025-03-01", "UTC"), NOW)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"month": "2025"}, "2025 is no month"),
        ({"month": "2025-13"}, "2025-13 is no month"),
        ({"day": "2025-03"}, "2025-03 is no day"),
        ({"day": "2025-02-30"}, "2025-02-30 is no day"),
        ({"since": "monday"}, "monday is no date"),
        ({"month": "9999-12"}, "9999-12 is too far away"),
        ({"week": "0001-01-01"}, "0001-01-01 is too far away"),
        ({"since": "0001-01-01"}, "0001-01-01 is too far away"),
        ({"until": "9999-12-31"}, "9999-12-31 is too far away"),
        ({"since": "2025-03-02", "until": "2025-03-02"}, "2025-03-02 is not after 2025-03-02"),
        ({"since": "2030-03-02"}, "now is not after 2030-03-02"),
        ({"day": "this", "month": "this"}, "only one time can be asked about"),
        ({"day": "this", "since": "2025-03-01"}, "only one time can be asked about"),
    ],
)
def test_times_that_make_no_sense(said: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        asked(NOW, ZONE, **said)
    assert caught.value.hint


async def test_who_had_no_price_and_when(tmp_path: Path) -> None:
    """Of what is on a machine it is the machine, and nobody is told to state a price twice."""
    lines = [
        whole("2025-03-01", "m", "a", "b"),
        terms("2025-03-01", "m", PRICE, kind="machine"),
        terms("2025-03-01", "a", on="m"),
        terms("2025-03-10 09:30", "m", kind="machine"),
        *life("m", "2025-03-10 09:00", "2025-03-10 12:00"),
        *life("a", "2025-03-10 09:10", "2025-03-10 11:00"),
        alive("2025-03-20 12:00"),
    ]
    now = account(await books(tmp_path / "1", lines, month()), month())
    assert now.remarks == ("m has no price: say what an hour costs, price: {per_hour: 3.90}",)
    lines.append(terms("2025-03-10 10:00", "m", PRICE, kind="machine"))
    later = account(await books(tmp_path / "2", lines, month()), month())
    assert later.remarks[0].startswith("m had no price from 2025-03-10 09:30 to 2025-03-10 10:00: ")
    assert later.remarks[0].endswith("price: {per_hour: 3.90, since: 2025-03-10}")
    assert len(later.remarks) == 1


async def test_a_price_that_was_put_right_counts_for_the_past_and_is_said(tmp_path: Path) -> None:
    wrong, at = Price("CNY", Decimal(39)), "2025-03-15 08:00"
    lines = [
        whole("2025-03-01", "kb"),
        terms("2025-03-01", "kb", wrong),
        *life("kb", "2025-03-10 09:00", "2025-03-10 10:00"),
        terms(at, "kb", PRICE, since=wall("2025-03-01")),
        alive("2025-03-20 12:00"),
    ]
    told = account(await books(tmp_path, lines, month()), month())
    assert told.total == {"CNY": Decimal("3.90")}
    assert told.remarks == (
        "the price of kb was corrected on 2025-03-15 08:00: it counts from 2025-03-01 00:00 on",
    )
    later = asked(NOW, ZONE, day="2025-03-16")
    assert later
    assert account(await books(tmp_path / "later", lines, later), later).remarks == ()


async def test_what_goes_on_is_as_long_as_it_is_although_the_clock_was_set(tmp_path: Path) -> None:
    """By an hour, since its last line."""
    here = clock.now()
    journal = await Journal.open(tmp_path)
    before = Now(here.wall - 3600 - 100, here.mono - 100, here.boot)
    await journal.append(before, Entry(Kind.START, "kb", "kb-1"))
    await journal.append(before, Entry(Kind.THERE, "kb", "kb-1", detail={"life": "a", "since": None}))
    await journal.close()
    [life] = read(tmp_path, here.wall - 7200, here.wall, here.wall).lives
    assert life.end is None
    assert 100 <= here.wall - life.start < 160
