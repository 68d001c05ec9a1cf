"""Room that is set aside, on a small disk that is really full."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from poorwill.host.reserve import Reserve

SIZE = 64 * 1024
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        yield tmp_path
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "poorwill-test", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_it_is_there_and_given_up_once(disk: Path) -> None:
    reserve = Reserve(disk / "reserve", SIZE)
    assert not reserve.release(FULL), "nothing was set aside"
    reserve.keep()
    assert (disk / "reserve").stat().st_blocks * 512 >= SIZE, "the room is really taken"
    assert not reserve.release(OSError(errno.EROFS, "Read-only file system")), "that helps nobody"
    assert reserve.release(FULL)
    assert not (disk / "reserve").exists()
    assert not reserve.release(FULL)


def test_one_of_an_earlier_life_is_as_good(disk: Path) -> None:
    Reserve(disk / "reserve", SIZE).keep()
    assert Reserve(disk / "reserve", SIZE).release(FULL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a disk")
def test_a_full_disk_has_room_for_what_must_be_written(disk: Path) -> None:
    reserve = Reserve(disk / "reserve", SIZE)
    reserve.keep()
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    with pytest.raises(OSError, match="No space left") as full:
        (disk / "file").write_bytes(bytes(8192))
    assert reserve.release(full.value)
    (disk / "file").write_bytes(bytes(8192))
    reserve.keep()
    assert not (disk / "reserve").exists(), "it takes no room that is not there"
    (disk / "filler").unlink()
    reserve.keep()
    assert (disk / "reserve").stat().st_size == SIZE
