from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cronsim import CronSim, CronSimError

from poorwill.core.cron import ALIASES, Cron, five_fields, possible

BEGIN = datetime(2026, 1, 1)  # noqa: DTZ001 - local time
LINES = [
    "0 9 * * 1-5",
    "*/20 8-10 * * *",
    "15,45 0,23 L * *",
    "0 12 1-7 * MON",
    "30 6 * 2 *",
    "0 0 LW */3 *",
    "5 4 * * MON#2",
]


@pytest.mark.parametrize("line", [*LINES, *ALIASES])
def test_the_same_moments_as_walking_from_one_to_the_next(line: str) -> None:
    cron, end = Cron(line), BEGIN + timedelta(days=400)
    days = (BEGIN.date() + timedelta(days=ahead) for ahead in range(400))
    midnight = datetime.min.time()
    found = [
        datetime.combine(day, midnight) + timedelta(minutes=minute)
        for day in days
        if cron.on(day)
        for minute in cron.minutes
    ]
    walked = []
    for moment in CronSim(" ".join(five_fields(line)), BEGIN - timedelta(seconds=1)):
        if moment >= end:
            break
        walked.append(moment)
    assert found == walked


def test_what_it_says_of_itself() -> None:
    office = Cron("0 9 * * 1-5")
    assert (office.minutes, office.every_hour, office.names_weekdays, office.weekly) == (
        (540,),
        False,
        True,
        True,
    )
    assert Cron("0 */2 * * *").every_hour
    assert not Cron("0 9 L * *").weekly
    assert not Cron("0 9 * * MON#1").weekly
    assert not Cron("0 9 * 2 1").weekly
    assert Cron("0 9 * * *").weekly
    assert not Cron("0 9 * * *").names_weekdays
    assert office == Cron("0 9 * * 1-5")
    assert hash(office) == hash(Cron("0 9 * * 1-5"))


@pytest.mark.parametrize("line", ["0 9 30 2 *", "0 9 31 4,6 *", "60 * * * *", "x * * * *", "1L/2 * * * *"])
def test_impossible_lines(line: str) -> None:
    assert not possible(line.split())
    with pytest.raises(CronSimError):
        Cron(line)
