from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tests.config.reading import SettingsOf

from poorwill.core.schedule import Timetable

HEAD = (
    "timezone: Asia/Shanghai\nservices:\n  a:\n    run: {process: {command: [x, '{port}']}}\n    schedule: "
)


def timetable(settings_of: SettingsOf, schedule: str) -> Timetable:
    found = settings_of(HEAD + schedule).services["a"].timetable
    assert found is not None
    return found


def week(table: Timetable) -> list[str]:
    zone = ZoneInfo(table.zone)
    begin = datetime(2026, 11, 23, tzinfo=zone).timestamp()
    spans = [(opening.start, opening.stop) for opening in table.openings(begin)]
    return [
        f"{datetime.fromtimestamp(start, zone):%a %H:%M}-{datetime.fromtimestamp(stop or 0, zone):%a %H:%M}"
        for start, stop in spans
    ]


@pytest.mark.parametrize(
    ("schedule", "opens"),
    [
        ("Mon,Wed 09:00-18:00", ["Mon 09:00-Mon 18:00", "Wed 09:00-Wed 18:00"]),
        ("[Mon 9-12, Tue 9:30-24:00]", ["Mon 09:00-Mon 12:00", "Tue 09:30-Wed 00:00"]),
        (
            "Mon 9-12, 13 – 18; Wed 10-11",
            ["Mon 09:00-Mon 12:00", "Mon 13:00-Mon 18:00", "Wed 10:00-Wed 11:00"],
        ),
        ("Fri 22:00-02:00", ["Fri 22:00-Sat 02:00"]),
        ("Sat-Mon 10:00-11:00", ["Mon 10:00-Mon 11:00", "Sat 10:00-Sat 11:00", "Sun 10:00-Sun 11:00"]),
        ("weekends 00:00-24:00", ["Sat 00:00-Mon 00:00"]),
        ("{start: '0 9 * * 2', stop: '0 18 * * 2'}", ["Tue 09:00-Tue 18:00"]),
        ("{ready_by: '9:00', stop: '0 18 * * 2'}", ["Tue 09:00-Tue 18:00"]),
        ("{ready_by: 0 9 * * 2, stop: '0 18 * * 2'}", ["Tue 09:00-Tue 18:00"]),
        ("{hours: Tue 09:00-18:00, ready_by: 8:50}", ["Tue 08:50-Tue 18:00"]),
        ("{date: 2026-11-28, hours: '10:00-14:00'}", ["Sat 10:00-Sat 14:00"]),
        (
            "[Tue 9-18, {date: 2026-11-24, closed: true}, {date: 2026-11-24, hours: 10-12}]",
            ["Tue 10:00-Tue 12:00"],
        ),
    ],
)
def test_what_can_be_written(settings_of: SettingsOf, schedule: str, opens: list[str]) -> None:
    table = timetable(settings_of, schedule)
    assert week(table) == opens
    assert [rule.led for rule in table.rules] == ["ready_by" in schedule] * len(table.rules)


def test_every_day_and_weekdays(settings_of: SettingsOf) -> None:
    assert len(week(timetable(settings_of, "09:00-18:00"))) == 7
    assert len(week(timetable(settings_of, "daily 09:00-18:00"))) == 7
    assert len(week(timetable(settings_of, "weekdays 09:00-18:00"))) == 5


def test_runs(settings_of: SettingsOf) -> None:
    table = timetable(settings_of, "[{start: '0 8 * * *', until: idle, missed: skip}, Mon 9-18]")
    (run,) = table.runs
    assert (run.kind, run.missed, run.text, run.zone) == ("idle", "skip", "0 8 * * *", "Asia/Shanghai")


def test_the_zone_is_the_files_or_its_own(settings_of: SettingsOf) -> None:
    own = settings_of(HEAD + "Mon 9-18\n    timezone: Europe/Berlin").services["a"].timetable
    assert own is not None
    assert own.zone == "Europe/Berlin"
    assert timetable(settings_of, "Mon 9-18").zone == "Asia/Shanghai"
    assert settings_of(HEAD + "[]").services["a"].timetable is None


def test_a_job_needs_no_address_and_takes_no_requests(settings_of: SettingsOf) -> None:
    job = "  b:\n    run: {process: {command: [x]}}\n    schedule: {start: '@daily', until: done}"
    settings = settings_of(HEAD + "Mon 9-18\n" + job)
    assert settings.services["b"].is_job
    assert not settings.services["a"].is_job
    assert settings.services["a"].hosts == (), "everything goes to the only service that is visited"
