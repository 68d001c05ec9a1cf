from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from poorwill.core.model import Condition
from poorwill.providers.http.lives import Lives, Record
from poorwill.providers.http.reading import Seen
from poorwill.providers.http.story import START, STOP, deletion, follow

ON = Seen(Condition.RUNNING, "running")
OFF = Seen(Condition.ABSENT, "off")
ODD = Seen(Condition.UNKNOWN, "odd")
DAY = 86_400.0


def test_what_is_kept_outlives_the_object(tmp_path: Path) -> None:
    record = Record(life=3, seen=True, on=True, asked=START, accepted=True, asked_at=5.0)
    Lives(tmp_path / "state").put("a", record)
    assert Lives(tmp_path / "state").get("a") == record
    assert Lives(tmp_path / "state").get("b") == Record()


def test_when_it_cannot_be_written_the_newest_is_known_not_the_kept(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.put("a", Record(life=1))
    (tmp_path / "a.life.new").mkdir()
    lives.put("a", Record(life=2))
    assert lives.get("a").life == 2
    (tmp_path / "a.life.new").rmdir()
    lives.put("a", Record(life=3))
    assert Lives(tmp_path).get("a").life == 3


def test_the_first_look_tells_nothing_new() -> None:
    after, note = follow(Record(), ON, 100.0, 30.0)
    assert (after.life, after.on, note) == (1, True, "")
    after, note = follow(Record(), OFF, 100.0, 30.0)
    assert (after.on, after.off_since, note) == (False, 100.0, "")


def test_our_own_start_and_stop() -> None:
    asked = Record(life=1, seen=True, asked=START, asked_at=100.0, off_since=50.0)
    assert follow(asked, OFF, 110.0, 30.0) == (asked, "")
    running, note = follow(asked, ON, 110.0, 30.0)
    assert running == Record(life=2, seen=True, on=True, asked_at=100.0)
    assert note == ""
    stopping = replace(running, asked=STOP)
    assert follow(stopping, ON, 120.0, 30.0) == (stopping, "")
    stopped, note = follow(stopping, OFF, 121.0, 30.0)
    assert (stopped.life, stopped.on, stopped.asked, stopped.off_since, note) == (2, False, "", 121.0, "")


def test_a_start_that_never_showed_is_given_up_whatever_the_clock_does() -> None:
    asked = Record(life=1, seen=True, asked=START, asked_at=100.0)
    for wall in (131.0, 60.0):
        after, note = follow(asked, OFF, wall, 30.0)
        assert (after.asked, note) == ("", "")


def test_somebody_else() -> None:
    after, note = follow(Record(life=1, seen=True, on=True), OFF, 100.0, 30.0)
    assert "not Poorwill who stopped it" in note
    after, note = follow(after, ON, 110.0, 30.0)
    assert "not Poorwill who started it" in note
    assert after.life == 2


def test_what_is_not_understood_changes_nothing() -> None:
    record = Record(life=1, seen=True, on=True)
    assert follow(record, ODD, 100.0, 30.0) == (record, "")


def test_since_when_it_is_off_is_the_first_look() -> None:
    after, _ = follow(Record(), OFF, 100.0, 30.0)
    again, _ = follow(after, OFF, 200.0, 30.0)
    assert again.off_since == 100.0


def test_when_it_is_about_to_be_deleted() -> None:
    off = Record(seen=True, off_since=0.0)
    assert deletion(off, 11 * DAY, 15 * DAY) == ""
    assert "in about 2d" in deletion(off, 13 * DAY, 15 * DAY)
    assert "any moment" in deletion(off, 16 * DAY, 15 * DAY)
    assert deletion(off, 5 * DAY, 7 * DAY) == ""
    assert deletion(off, 6 * DAY, 7 * DAY)
    assert deletion(off, 100 * DAY, None) == ""
    assert deletion(Record(seen=True, on=True), 100 * DAY, DAY) == ""
