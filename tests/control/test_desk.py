"""What people are told and what becomes of what they say."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import NAME, PLACE, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.core.door import Asked, Traffic
from poorwill.core.model import Failures, HandKind
from poorwill.errors import BadInput, StateError
from poorwill.store.journal import Journal, Kind


def stamp(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


@in_virtual_time
async def test_status_of_a_service_that_sleeps(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        fell_asleep = await house.becomes("asleep") + running().now().wall
        (row,) = house.desk.status()
        assert {"name", "phase", "instances", "desired", "reason", "since", "next_change"} <= row.keys()
        assert (row["name"], row["phase"], row["desired"]) == (NAME, "asleep", 0)
        assert row["reason"] == "nobody asks for it"
        assert row["next_change"] is None
        assert row["since"] <= stamp(fell_asleep)
        assert row["instances"][0]["condition"] == "absent"
        assert row["checks"] == 7
        json.dumps(house.desk.status())


@in_virtual_time
async def test_status_of_a_service_that_is_awake(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        now = running().now()
        (row,) = house.desk.status()
        (instance,) = row["instances"]
        assert (instance["condition"], instance["ready"], instance["address"]) == (
            "running",
            True,
            "127.0.0.1:8000",
        )
        assert instance["since"] <= stamp(now.wall)
        asleep_at = datetime.fromisoformat(row["next_change"]).timestamp() - now.wall
        assert asleep_at == pytest.approx(60, abs=0.1)
        assert datetime.fromisoformat(row["next_change"]).utcoffset() is not None


@in_virtual_time
async def test_status_before_anything_was_looked_at(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.cloud.weather.list_takes = 20.0
        house.add()
        (row,) = house.desk.status()
        assert (row["phase"], row["since"]) == ("unknown", None)
        await asyncio.sleep(1)
        assert house.desk.status()[0]["phase"] == "unknown"
        json.dumps(house.desk.why(NAME))


@in_virtual_time
async def test_services_come_by_name(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for name in ("b", "a", "c"):
            house.add(name=name)
        assert [row["name"] for row in house.desk.status()] == ["a", "b", "c"]


@in_virtual_time
async def test_times_are_right_after_the_wall_clock_was_set(tmp_path: Path) -> None:
    """What has a moment on the monotonic clock moves with the wall clock; nothing jumps into the future."""
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        running().wall_offset = -86_400.0
        now = running().now()
        row = house.desk.why(NAME)
        assert row["instances"][0]["since"] <= stamp(now.wall)
        assert row["asked"]["last"] <= stamp(now.wall)


@in_virtual_time
async def test_why_shows_the_facts(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add(failures=Failures(2, running().time(), "exit code 3"))
        facts.wakes.extend([10.0, 20.0])
        await house.becomes("failed")
        now = running().now()
        house.front.askeds[NAME] = Asked(3, now.mono - 5)
        house.front.traffics[NAME] = Traffic(1, 2, now.mono - 7)
        row = house.desk.why(NAME)
        assert row["asked"] == {"waiting": 3, "last": stamp(now.wall - 5)}
        assert row["traffic"] == {"active": 1, "busy": 2, "last_activity": stamp(now.wall - 7)}
        assert row["failures"] == {"in_a_row": 2, "last": "exit code 3", "hint": ""}
        assert row["wakes"] == {"median": 15.0, "p90": 20.0, "count": 2}
        assert (row["gate"], row["hand"], row["idle_after"]) == ("closed", None, 60.0)
        json.dumps(row)


@in_virtual_time
async def test_why_passes_on_what_the_provider_advised(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.cloud.weather.start = "permanent"
        house.add()
        await house.becomes("asleep")
        house.front.ask()
        await house.becomes("failed")
        failures = house.desk.why(NAME)["failures"]
        assert (failures["last"], failures["hint"]) == ("no such machine type", "choose another")
        house.cloud.weather.start = "ok"
        await house.becomes("awake")
        assert house.desk.why(NAME)["failures"]["hint"] == ""


@in_virtual_time
async def test_an_unknown_name_is_bad_input_and_names_the_known(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add(name="b")
        house.add(name="a")
        for call in (
            house.desk.wake("nots", None, "x"),
            house.desk.sleep("nots", "x"),
            house.desk.auto("nots", "x"),
        ):
            with pytest.raises(BadInput, match="there is no service 'nots'") as raised:
                await call
            assert raised.value.hint == "the services are a, b"
        with pytest.raises(BadInput):
            house.desk.why("nots")
        assert await house.events(Kind.WAKE, Kind.SLEEP, Kind.AUTO) == []


@in_virtual_time
async def test_wake_keeps_it_awake_until_it_is_given_back(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        await house.becomes("asleep")
        await house.desk.wake(NAME, None, "by hand (ada)")
        await house.becomes("awake")
        await asyncio.sleep(3_600)
        (row,) = house.desk.status()
        assert (row["phase"], row["reason"], row["next_change"]) == (
            "awake",
            "kept awake by hand (ada)",
            None,
        )
        assert house.desk.why(NAME)["hand"] == {"kind": "wake", "by": "by hand (ada)", "until": None}
        await house.desk.auto(NAME, "by hand (ada)")
        await house.becomes("asleep", 5)
        assert [event.kind for event in await house.events(Kind.WAKE, Kind.AUTO)] == [Kind.WAKE, Kind.AUTO]


@in_virtual_time
async def test_wake_for_a_while(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        await house.becomes("asleep")
        begun = running().now()
        await house.desk.wake(NAME, 600.0, "by hand")
        await house.becomes("awake")
        (row,) = house.desk.status()
        until_then = datetime.fromisoformat(row["next_change"]).timestamp()
        assert until_then == pytest.approx(begun.wall + 600, abs=0.01)
        await asyncio.sleep(590)
        assert house.phase() == "awake"
        await house.becomes("asleep", 10)


@in_virtual_time
async def test_sleep_ends_work_first_and_then_refuses_visitors(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        house.front.traffics[NAME] = Traffic(busy=1, read_at=running().time())
        await house.desk.sleep(NAME, "by hand")
        await house.becomes("draining")
        await asyncio.sleep(300)
        assert house.phase() == "draining"
        house.front.traffics[NAME] = Traffic(read_at=running().time())
        await house.becomes("asleep", 5)
        house.front.ask()
        await asyncio.sleep(600)
        assert house.phase() == "asleep"
        assert house.front.shown[NAME]["refusal"] == "by_hand"
        await house.desk.auto(NAME, "by hand")
        await house.becomes("awake", 10)


@in_virtual_time
async def test_a_wake_by_hand_tries_at_once_in_spite_of_the_back_off(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add(failures=Failures(9, running().time(), "exit code 3"))
        house.front.ask()
        await house.becomes("failed")
        await asyncio.sleep(2)
        assert house.cloud.count("start") == 0
        await house.desk.wake(NAME, None, "by hand")
        await until(lambda: house.cloud.count("start") == 1, 1)


@in_virtual_time
async def test_the_last_word_holds_and_outlives_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        await house.desk.wake(NAME, None, "by hand")
        await house.desk.sleep(NAME, "by hand")
        await house.desk.wake(NAME, 100.0, "by hand")
    async with a_house(tmp_path) as house:
        facts = house.add((await house.journal.restore())[NAME])
        assert facts.hand is not None
        assert facts.hand.kind is HandKind.WAKE
        assert facts.hand.until == pytest.approx(running().time() + 100, abs=1)
        await house.becomes("awake")


@in_virtual_time
async def test_a_word_holds_while_the_disk_is_full_and_is_written_down_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who wants to save money must be able to; a start still waits for the disk."""
    async with a_house(tmp_path) as house:
        facts = house.add()
        await house.becomes("asleep")
        await house.recorder.flush(5)
        append = Journal.append

        async def full(*_: object) -> None:
            raise StateError("the disk is full")

        monkeypatch.setattr(Journal, "append", full)
        begun = running().time()
        row = await house.desk.wake(NAME, None, "by hand")
        assert running().time() - begun < 2
        await house.becomes("waking", 1)
        row = house.desk.why(NAME)
        assert row["reason"] == "kept awake by hand; nothing is started meanwhile: the disk is full"
        await asyncio.sleep(300)
        assert house.cloud.count("start") == 0
        assert facts.failures.count == 0, "it waits, it has not failed"
        monkeypatch.setattr(Journal, "append", append)
        await house.becomes("awake", 10)
        assert [event.kind for event in await house.events(Kind.WAKE, Kind.START)] == [Kind.WAKE, Kind.START]


@in_virtual_time
async def test_what_others_started_is_put_to_sleep_also_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud()
    cloud.begin(PLACE, foreign=True)
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("awake")
        await house.recorder.flush(5)
        append = Journal.append

        async def full(*_: object) -> None:
            raise StateError("the disk is full")

        monkeypatch.setattr(Journal, "append", full)
        await house.desk.sleep(NAME, "by hand")
        await house.becomes("asleep", 60)
        assert cloud.copy() is None
        monkeypatch.setattr(Journal, "append", append)
        assert [event.kind for event in await house.events(Kind.ADOPT, Kind.SLEEP)] == [
            Kind.ADOPT,
            Kind.SLEEP,
        ]


@in_virtual_time
async def test_the_log_comes_from_the_provider(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert isinstance(house.add().provider, FakeProvider)
        assert await house.desk.log_tail(NAME, 2) == ["notes-1 line 0", "notes-1 line 1"]
        with pytest.raises(BadInput):
            await house.desk.log_tail("nots", 2)
