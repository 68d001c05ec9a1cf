from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from typer.testing import CliRunner

from poorwill.cli.entry import app
from poorwill.cli.show import _plans
from poorwill.cli.week import week

FILE = """
timezone: Asia/Shanghai
services:
  kb:
    path: /kb
    run: {process: {command: [x, "{port}"]}}
    schedule: [daily 09:00-18:00, {date: 2020-01-01, closed: true}]
  report:
    timezone: Europe/Berlin
    run: {process: {command: [x]}}
    schedule: {start: "30 6 * * *", until: done}
"""


def agenda(**known: Any) -> dict[str, Any]:
    return {"timezone": "UTC", "week": [], "runs": [], "later": None, "closed": [], "notes": [], **known}


def opening(start: str, stop: str | None, led: bool = False) -> dict[str, Any]:
    ends = None if stop is None else f"2026-11-{stop}:00+00:00"
    return {"start": f"2026-11-{start}:00+00:00", "stop": ends, "why": "x", "led": led}


def test_a_schedule_that_is_over_says_so() -> None:
    assert week(agenda()) == ["nothing in these days, nor later"]


def test_what_people_planned_is_told() -> None:
    start, stop = ("2026-11-28T10:00:00+00:00", "2026-11-28T14:00:00+00:00")
    row = {"timezone": "UTC", "plans": [{"kind": "sleep", "start": start, "stop": stop, "by": "by ann"}]}
    assert list(_plans(row, ZoneInfo("Asia/Shanghai"))) == ["asleep: Sat 28 Nov 10:00-14:00, planned by ann"]


def test_equal_days_in_a_row_are_one() -> None:
    openings = [opening(f"{day}T09:00", f"{day}T18:00") for day in (23, 24, 26)]
    openings += [
        opening("27T09:00", "27T12:00"),
        opening("27T13:00", "28T00:00"),
        opening("28T22:00", "29T02:00"),
    ]
    (line,) = week(agenda(week=openings))
    assert line == (
        "awake: Mon 23 Nov - Tue 24 Nov 09:00-18:00; Thu 26 Nov 09:00-18:00; "
        "Fri 27 Nov 09:00-12:00, 13:00-24:00; Sat 28 Nov 22:00-02:00"
    )


def test_long_led_and_endless_windows() -> None:
    assert week(agenda(week=[opening("23T09:00", "27T18:00")])) == [
        "awake: Mon 23 Nov 09:00 to Fri 27 Nov 18:00"
    ]
    assert week(agenda(week=[opening("23T09:00", "23T18:00", led=True)])) == [
        "awake: Mon 23 Nov ready 09:00-18:00"
    ]
    assert week(agenda(week=[opening("23T09:00", None)])) == ["awake: always from Mon 23 Nov 09:00 on"]
    always = {"start": "1970-01-01T00:00:00+00:00", "stop": None, "why": "x", "led": False}
    assert week(agenda(week=[always])) == ["awake: always"]


def test_runs_closed_days_and_notes() -> None:
    many = [f"2026-11-25T12:{minute:02}:00+00:00" for minute in range(10)]
    lines = week(
        agenda(
            runs=["2026-11-23T06:30:00+00:00", "2026-11-24T06:30:00+00:00", *many],
            closed=[{"day": "2026-11-26", "why": "holiday: X"}],
            notes=[{"day": "2026-11-29", "text": "the clocks go back"}],
        )
    )
    assert lines == [
        "runs: Mon 23 Nov - Tue 24 Nov 06:30; Wed 25 Nov 12:00, 12:01, 12:02, 12:03, 12:04, 12:05 and so on",
        "closed: Thu 26 Nov (holiday: X)",
        "note: Sun 29 Nov: the clocks go back",
    ]
    assert week(agenda(later="2028-02-29T00:00:00+00:00")) == [
        "nothing in these days; next: Tue 29 Feb 2028 00:00"
    ]


def test_check_says_it(tmp_path: Path) -> None:
    file = tmp_path / "poorwill.yaml"
    file.write_text(FILE)
    said = CliRunner().invoke(app, ["check", str(file)])
    assert said.exit_code == 0
    assert CliRunner().invoke(app, ["check", "--file", str(file)]).output == said.output
    _, kb, report = said.output.split("\n\n")
    assert "  the next 7 days (Asia/Shanghai):\n    awake: " in kb
    assert "09:00-18:00" in kb
    assert "warning: 2020-01-01 is past" in kb
    assert report.startswith("report: a job; nobody visits it\n")
    assert "the next 7 days (Europe/Berlin):\n    runs: " in report
    assert "first request" not in report
