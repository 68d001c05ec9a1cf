"""What is made of the answers of nvidia-smi: a real shell, and a program of that name, as unkind as it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.patience import PATIENCE

from poorwill.control.cards import Holder, Reading, read, readings
from poorwill.errors import Temporary
from poorwill.providers.shell.local import LocalShell

MIB = 1024 * 1024

TOLD = """Warning: persistence mode is off
0, GPU-1111, 2000, 22000, 24564
1, GPU-2222, 24000, 564, 24564
2, GPU-3333, [N/A], [N/A], [N/A]
---
GPU-1111, 4711, 20000, /opt/venv/bin/python3, --serve
GPU-1111, 12, [N/A], [Insufficient Permissions]
GPU-2222, not a pid, 1, x
"""


def test_cards_and_who_holds_them() -> None:
    full, free = read(TOLD)
    holders = (
        Holder(4711, "/opt/venv/bin/python3, --serve", 20000 * MIB),
        Holder(12, "[Insufficient Permissions]", None),
    )
    assert full == Reading("0", "GPU-1111", 2000 * MIB, 22000 * MIB, 24564 * MIB, holders)
    assert (free.index, free.holders) == ("1", ())
    assert read("") == read("No devices were found\n") == []


def test_whether_there_is_room() -> None:
    full, free = read(TOLD)
    assert free.has_room(None)
    assert free.has_room(24000 * MIB)
    assert not free.has_room(24001 * MIB)
    assert not full.has_room(None)
    assert full.has_room(2000 * MIB)
    unseen = Reading("0", "GPU-1111", 2000 * MIB, 22000 * MIB, 24564 * MIB)
    assert not unseen.has_room(None), "somebody holds it, whoever that is"
    assert unseen.held_by() == "by something that nvidia-smi does not name (23GB)"


def test_a_card_has_a_number_and_a_name() -> None:
    card = read(TOLD)[0]
    assert [card.is_called(name) for name in ("0", "GPU-1111", "GPU-11", "1", "GPU-", "G")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_only_some_of_many_are_named() -> None:
    holders = tuple(Holder(pid, f"/bin/p{pid}", pid * 1000 * MIB) for pid in range(1, 8))
    words = Reading("0", "GPU-1", 0, 1, 1, holders).held_by()
    assert words.startswith("by process 7 (p7, 7.3GB), process 6 (p6, 6.2GB)")
    assert words.endswith("process 3 (p3, 3.1GB) and 2 more")


async def smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, timeout: float = 10.0) -> object:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return await readings(LocalShell(), timeout)


GOOD = """case "$1" in
--query-gpu=*) echo "0, GPU-1111, 2000, 22000, 24564" ;;
--query-compute-apps=*) {apps} ;;
*) exit 2 ;;
esac"""


async def test_the_program_is_asked_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await smi(tmp_path, monkeypatch, GOOD.format(apps='echo "GPU-1111, 7, 20000, python"'))
    assert found == [
        Reading("0", "GPU-1111", 2000 * MIB, 22000 * MIB, 24564 * MIB, (Holder(7, "python", 20000 * MIB),))
    ]


async def test_a_driver_that_names_nobody_still_tells_the_amounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await smi(tmp_path, monkeypatch, GOOD.format(apps="echo Not Supported; exit 3"))
    assert found == [Reading("0", "GPU-1111", 2000 * MIB, 22000 * MIB, 24564 * MIB)]


async def test_a_program_that_fails_or_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "NVIDIA-SMI has failed because it could not communicate with the driver"
    with pytest.raises(Temporary, match="could not communicate"):
        await smi(tmp_path, monkeypatch, f"echo '{words}' >&2; exit 9")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Temporary, match="not answered within"):
            await smi(tmp_path, monkeypatch, "sleep 60", timeout=0.3)


async def test_no_program_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await smi(tmp_path, monkeypatch, "exec no-such-program-anywhere") is None
