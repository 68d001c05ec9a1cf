"""What GPUs draw: a real shell, a nvidia-smi as unkind as the real one, and hours in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.control.virtual_time import WALL, in_virtual_time, running
from tests.patience import PATIENCE

from poorwill.control import power
from poorwill.control.energy import EVERY, WRITE_EVERY, Energy
from poorwill.control.facts import Facts, Tenancy
from poorwill.control.place import Place
from poorwill.control.power import Draw, draws
from poorwill.control.seat import Seat
from poorwill.core.model import Condition, Service
from poorwill.core.share import Card, Share
from poorwill.errors import Temporary
from poorwill.providers.base import Ran, Sighting
from poorwill.providers.shell.local import LocalShell

A, B = "GPU-aaaa-1", "GPU-bbbb-2"


def test_what_the_program_prints_is_read_and_nothing_else() -> None:
    told = f"""Warning: persistence mode is off
0, {A}, 61.50
1, {B}, [N/A]
2, GPU-3, nan
3, GPU-4, -1
4, GPU-5, 1e9
5, GPU-6, [Unknown Error]
No devices were found, really, no
"""
    assert [(one.index, one.watts) for one in power.read(told)] == [
        ("0", 61.5),
        *((str(number), None) for number in range(1, 6)),
    ]
    assert power.read("") == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("sleep 60", "not answered within"),
        ("echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18", "mismatch"),
        ("exit 0", "exit code 0"),
        ("echo No devices were found", "No devices"),
        ("head -c 200000 /dev/urandom", "does not tell"),
        ("exec no-such-program-anywhere", "there is no nvidia-smi"),
    ],
)
async def test_a_program_that_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program(tmp_path, monkeypatch, script)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Temporary, match=words):
            await draws(LocalShell(), 0.5 if script.startswith("sleep") else 10.0)


async def test_a_program_that_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, f'[ "$1" = --query-gpu=index,uuid,power.draw ] && echo "0, {A}, 61.50"')
    assert await draws(LocalShell(), 10.0) == [Draw("0", A, 61.5)]


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


class Host:
    """Some services, and cards that draw what ``watts`` says; None is ``[N/A]``. ``fails`` is how the
    program ends instead.
    """

    def __init__(self) -> None:
        self.watts: dict[str, float | None] = {A: 100.0, B: 40.0}
        self.fails: Ran | Exception | None = None
        self.asked: list[str] = []
        self.lines: list[tuple[str, float, float, Decimal]] = []
        self.services: dict[str, Facts] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.energy = Energy(self, self.spawn, self.shell)  # type: ignore[arg-type]

    def shell(self, machine: str) -> Any:
        self.asked.append(machine)
        return self

    async def run(self, _: str, **__: Any) -> Ran:
        if isinstance(self.fails, Exception):
            raise self.fails
        if self.fails is not None:
            return self.fails
        rows = enumerate(self.watts.items())
        told = (f"{number}, {uuid}, {'[N/A]' if watts is None else watts}" for number, (uuid, watts) in rows)
        return Ran(0, "\n".join(told))

    def note(self, _: object, entry: Any) -> None:
        detail = entry.detail
        self.lines.append(
            (entry.service, detail["since"] - WALL, detail["until"] - WALL, Decimal(detail["kwh"]))
        )

    def spawn(self, work: Any) -> None:
        self.tasks.add(asyncio.get_running_loop().create_task(work))

    def add(self, name: str, *cards: str, machine: str = "", tenancy: Tenancy = Tenancy.SERVICE) -> Facts:
        here = Place(f"{name}-1", Sighting(f"{name}-1", Condition.RUNNING, "life"))
        share = Share(tuple(Card(card, machine) for card in cards))
        facts = Facts(Service(name), None, None, {here.id: here}, tenancy=tenancy, machine=machine)  # type: ignore[arg-type]
        facts.seat = Seat(share, None) if cards else None
        self.services[name] = facts
        return facts

    def drawn(self, name: str) -> tuple[float, float]:
        """Seconds and joules, all lines together."""
        mine = [line for line in self.lines if line[0] == name]
        return sum(line[2] - line[1] for line in mine), float(sum(line[3] for line in mine)) * 3.6e6

    async def lives(self, *parts: tuple[float, Callable[[], object]]) -> None:
        """Runs for so many seconds, then does the deed, and so on; in the end the program leaves."""
        self.spawn(self.energy.run(self.services))
        for seconds, deed in parts:
            await asyncio.sleep(seconds)
            deed()
        self.energy.end()
        await asyncio.sleep(EVERY)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def goes(facts: Facts) -> Callable[[], None]:
    def go() -> None:
        for place in facts.places.values():
            place.sighting = Sighting(place.id, Condition.ABSENT)

    return go


def nothing() -> None:
    pass


@in_virtual_time
async def test_what_was_drawn_is_written_every_quarter_of_an_hour_and_when_it_goes() -> None:
    host = Host()
    notes = host.add("notes", "0")
    host.energy.measure(["notes"])
    await host.lives((2005.0, goes(notes)), (1000.0, nothing))
    assert [line[0] for line in host.lines] == ["notes"] * 3
    assert [line[2] - line[1] for line in host.lines] == [WRITE_EVERY, WRITE_EVERY, 200.0]
    assert host.lines[1][1] == host.lines[0][2]
    assert [line[3] for line in host.lines[:2]] == [Decimal("0.025")] * 2, "100 W for a quarter of an hour"
    assert host.drawn("notes")[1] == pytest.approx(200_000.0)
    assert len(host.asked) == pytest.approx(202, abs=2), "nobody is asked about what is gone"


@in_virtual_time
async def test_those_who_are_there_share_a_card_and_who_has_none_named_has_all() -> None:
    host = Host()
    host.add("chat", "0", "1")
    draw = host.add("draw", A[:8])
    host.add("bystander")
    host.energy.measure(["chat", "draw"])
    await host.lives((100.0, goes(draw)), (100.0, nothing))
    seconds, joules = host.drawn("chat")
    assert joules == pytest.approx(90.0 * 100 + 140.0 * (seconds - 100), abs=500)
    assert host.drawn("draw")[1] == pytest.approx(50.0 * 90, abs=600)
    host = Host()
    host.add("whole")
    host.energy.measure(["whole"])
    await host.lives((100.0, nothing))
    assert host.drawn("whole") == (90.0, pytest.approx(140.0 * 90))


@in_virtual_time
async def test_a_machine_has_all_of_its_cards_whoever_is_on_it() -> None:
    host = Host()
    host.add("box", tenancy=Tenancy.MACHINE)
    host.add("chat", "0", machine="box")
    host.add("here", "0")
    host.energy.measure(["box", "here"])
    await host.lives((100.0, nothing))
    assert host.drawn("box")[1] == pytest.approx(140.0 * 90)
    assert host.drawn("here")[1] == pytest.approx(100.0 * 90), "another card 0, on another host"
    assert set(host.asked) == {"", "box"}


@pytest.mark.parametrize(
    "trouble", [Ran(None, ""), Ran(9, "mismatch"), Ran(127, ""), Ran(0, "garbage"), None]
)
@in_virtual_time
async def test_what_nobody_could_tell_is_left_out(trouble: Ran | Exception | None) -> None:
    host = Host()
    host.add("chat", "0", "1")
    host.energy.measure(["chat"])

    def breaks() -> None:
        host.fails = trouble
        host.watts[B] = None

    def works() -> None:
        host.fails, host.watts[B] = None, 40.0

    await host.lives((105.0, breaks), (20.0, works), (100.0, breaks), (60.0, works), (100.0, nothing))
    first, second = host.lines
    assert second[1] - first[2] == pytest.approx(70.0, abs=1.0)
    assert host.drawn("chat")[1] == pytest.approx(140.0 * host.drawn("chat")[0])
    assert host.drawn("chat")[0] == pytest.approx(310.0, abs=11.0), "20 s are bridged, 70 s are not"


@in_virtual_time
async def test_nobody_is_asked_while_nothing_is_to_be_measured() -> None:
    host = Host()
    host.add("notes", "0")
    await host.lives((100.0, nothing), (0.0, lambda: host.energy.measure([])), (100.0, nothing))
    assert (host.asked, host.lines) == ([], [])


@in_virtual_time
async def test_a_clock_that_is_set_changes_no_length() -> None:
    host = Host()
    host.add("notes", "0")
    host.energy.measure(["notes"])

    def set_back() -> None:
        running().wall_offset -= 7200.0

    await host.lives((50.0, set_back), (50.0, nothing))
    assert host.drawn("notes") == (90.0, pytest.approx(9000.0))
