from __future__ import annotations

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

from poorwill.core.agenda import MOST_RUNS, agenda, unpublished, warnings
from poorwill.core.cron import Cron
from poorwill.core.pattern import Dated, Pair, Spell, Starts, Weekly
from poorwill.core.rule import Rule
from poorwill.core.run import Run
from poorwill.core.schedule import Timetable

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"
OFFICE = Pair(Cron("0 9 * * 1-5"), Cron("0 18 * * 1-5"))
DAILY = Weekly((Spell(frozenset(range(7)), 540, 1080),))


def wall(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_a_week_with_the_spring_festival() -> None:
    timetable = Timetable(SHANGHAI, (Rule("office", OFFICE, led=True, holidays=("CN",)),))
    found = agenda(timetable, wall("2026-02-13T12:00", SHANGHAI))
    assert json.loads(json.dumps(found)) == found
    assert found["timezone"] == SHANGHAI
    assert found["week"][0] == {
        "start": "2026-02-13T01:00:00.000+00:00",
        "stop": "2026-02-13T10:00:00.000+00:00",
        "why": "office",
        "led": True,
    }
    assert [one["start"][:10] for one in found["week"]] == ["2026-02-13", "2026-02-14"]
    assert [one["day"][-2:] for one in found["closed"]] == ["16", "17", "18", "19", "20"]
    assert found["closed"][1]["why"] == "holiday: Chinese New Year (Spring Festival)"
    assert found["notes"] == [{"day": "2026-02-14", "text": "make-up workday"}]
    assert (found["runs"], found["later"]) == ([], None)


def test_closed_dates_and_one_off_hours() -> None:
    closed = frozenset({date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 28)})
    open_anyway = Rule("x", Dated(date(2026, 11, 27), ((600, 660),)), added=frozenset({date(2026, 11, 27)}))
    found = agenda(
        Timetable(BERLIN, (Rule("office", OFFICE),), (open_anyway,), closed), wall("2026-11-25T20:00", BERLIN)
    )
    assert found["closed"] == [{"day": "2026-11-26", "why": "closed"}], "the 28th is a Saturday"
    assert found["week"][0]["why"] == "x"


def test_the_clocks() -> None:
    timetable = Timetable(BERLIN, (Rule("x", DAILY),))
    spring = agenda(timetable, wall("2026-03-27T12:00", BERLIN))["notes"]
    assert spring == [{"day": "2026-03-29", "text": "the clocks go forward by 1 h at 02:00"}]
    autumn = agenda(timetable, wall("2026-10-23T12:00", BERLIN))["notes"]
    assert autumn == [{"day": "2026-10-25", "text": "the clocks go back by 1 h at 03:00"}]
    howe = agenda(Timetable("Australia/Lord_Howe", timetable.rules), wall("2026-10-01T12:00", BERLIN))[
        "notes"
    ]
    assert howe == [{"day": "2026-10-04", "text": "the clocks go forward by 30 min at 02:00"}]
    assert agenda(timetable, wall("2026-06-01T12:00", BERLIN))["notes"] == []


def test_runs_are_told_up_to_a_limit() -> None:
    rule = Rule("x", Starts(Cron("* * * * *")))
    found = agenda(Timetable(BERLIN, runs=(Run("done", "run", rule, BERLIN),)), 0.0)
    assert len(found["runs"]) == MOST_RUNS
    assert found["week"] == []


def test_what_comes_later() -> None:
    rare = Rule("x", Pair(Cron("0 9 1 5 *"), Cron("0 18 1 5 *")))
    run = Run("idle", "run", Rule("x", Starts(Cron("0 9 1 4 *"))), BERLIN)
    found = agenda(Timetable(BERLIN, (rare,), runs=(run,)), wall("2026-11-25T12:00", BERLIN))
    assert found["later"] == "2027-04-01T07:00:00.000+00:00"


def test_unpublished_calendars_are_told_60_days_before() -> None:
    timetable = Timetable(SHANGHAI, (Rule("x", OFFICE, holidays=("DE", "CN")),))
    assert unpublished(timetable, wall("2026-11-01T12:00", SHANGHAI)) == ()
    assert unpublished(timetable, wall("2026-11-03T12:00", SHANGHAI)) == (("CN", 2027),)
    assert unpublished(timetable, wall("2027-06-01T12:00", SHANGHAI)) == (("CN", 2027),)
    (warning,) = warnings(timetable, wall("2026-12-01T12:00", SHANGHAI))
    assert "CN" in warning
    assert "2027" in warning


def test_past_dates_are_told() -> None:
    timetable = Timetable(
        BERLIN, (Rule("x", DAILY),), closed=frozenset({date(2026, 11, 24), date(2026, 11, 25)})
    )
    assert warnings(timetable, wall("2026-11-25T12:00", BERLIN)) == [
        "2026-11-24 is past: its entry can be removed"
    ]
