"""A file that cannot be a journal is named, left alone, and said what to do about."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.journal import FILE, Entry, Journal, Kind, read_only


@pytest.fixture
async def folder(tmp_path: Path, now: Now) -> Path:
    """A state folder with some hundred events in it."""
    journal = await Journal.open(tmp_path / "state")
    await journal.append(now, *(Entry(Kind.PHASE, "notes", reason=f"reason {n}") for n in range(500)))
    await journal.close()
    return tmp_path / "state"


async def refused(folder: Path) -> StateError:
    with pytest.raises(StateError) as caught:
        await Journal.open(folder)
    assert str(folder / FILE) in str(caught.value)
    assert caught.value.hint
    return caught.value


async def test_nobody_else_may_read_it(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path / "deep" / "state")
    await journal.append(now, Entry(Kind.UP))
    files = list(journal.path.parent.iterdir())
    assert {path.name for path in files} == {FILE, f"{FILE}-wal", f"{FILE}-shm"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700
    await journal.close()


async def test_a_file_that_was_open_to_others_is_closed(folder: Path) -> None:
    (folder / FILE).chmod(0o644)
    await (await Journal.open(folder)).close()
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600


async def test_a_folder_with_odd_signs_in_its_name(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path / "50% off? #1 & söhne")
    assert len(await journal.append(now, Entry(Kind.UP))) == 1
    await journal.close()
    assert (tmp_path / "50% off? #1 & söhne" / FILE).exists()


async def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "Not a directory" in str(await refused(tmp_path / "file" / "state"))


async def test_a_folder_in_the_journals_place(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert "Is a directory" in str(await refused(tmp_path))


async def test_a_link_to_nowhere_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to("/proc/version" if sys.platform == "linux" else "/dev/null/no")
    await refused(tmp_path)


@pytest.mark.parametrize(
    "content", [b"garbage " * 1000, b"\0" * 8192, b"SQLite format 3\0 but not really" * 99]
)
async def test_garbage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    error = await refused(tmp_path)
    assert "move the file away" in error.hint
    assert (tmp_path / FILE).read_bytes() == content


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
async def test_cut_off(folder: Path, share: float) -> None:
    path = folder / FILE
    content = path.read_bytes()[: int(path.stat().st_size * share)]
    path.write_bytes(content)
    error = await refused(folder)
    assert "move the file away" in error.hint
    assert path.read_bytes() == content


@pytest.mark.parametrize("page", [3, -3])
async def test_overwritten_in_one_place(folder: Path, page: int) -> None:
    path = folder / FILE
    with path.open("r+b") as file:
        file.seek(4096 * page, 0 if page > 0 else 2)
        file.write(b"\xff" * 4096)
    content = path.read_bytes()
    error = await refused(folder)
    assert f"{path} is damaged: " in str(error)
    assert "move the file away" in error.hint
    assert path.read_bytes() == content


async def test_of_a_newer_version(folder: Path) -> None:
    newer = sqlite3.connect(folder / FILE)
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    content = (folder / FILE).read_bytes()
    error = await refused(folder)
    assert "newer Poorwill" in str(error)
    assert "9999" in str(error)
    assert (folder / FILE).read_bytes() == content
    with pytest.raises(StateError, match="newer Poorwill"):
        read_only(folder)


async def test_another_programs_database(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE cookies (id INTEGER)")
    other.close()
    content = (tmp_path / FILE).read_bytes()
    assert "not a journal of Poorwill" in str(await refused(tmp_path))
    assert (tmp_path / FILE).read_bytes() == content


async def test_an_empty_file_is_a_beginning(tmp_path: Path, now: Now) -> None:
    (tmp_path / FILE).touch()  # what is left when the very first start is killed
    journal = await Journal.open(tmp_path)
    assert [event.id for event in await journal.append(now, Entry(Kind.UP))] == [1]
    await journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[Path, str]:
    """A folder on a disk of 1.5 MB and "disk"; where that cannot be had, any folder and "limit"."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if sys.platform == "linux" and mount:
        done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=1500k", "none", folder], capture_output=True)
        if done.returncode == 0:
            return folder, "disk"
    return folder, "limit"


_FILL = """
import asyncio, os, resource, sys
from pathlib import Path
from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Journal, Kind

async def main():
    folder, how = Path(sys.argv[1]), sys.argv[2]
    now, entry = Now(1.0, 1.0, "b"), Entry(Kind.PHASE, "notes", reason="x" * 2000)
    journal = await Journal.open(folder)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    else:
        (folder / "ballast").write_bytes(bytes(400_000))
    kept = refusals = 0
    while refusals < 3 and kept < 5_000:
        try:
            kept = (await journal.append(now, entry, entry))[-1].id
        except StateError as error:
            refusals += 1
            print("full", error, error.hint, sep="|")
    print("kept", kept)
    print("readable", len(await journal.events(limit=10_000)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    (folder / "ballast").unlink(missing_ok=True)
    print("again", *[event.id for event in await journal.append(now, entry, entry)])
    await journal.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("forced", ["limit", None])
def test_a_full_disk_loses_nothing_and_passes(small_disk: tuple[Path, str], forced: str | None) -> None:
    folder, how = small_disk
    try:
        done = subprocess.run(
            [sys.executable, "-c", _FILL, folder, forced or how], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        *refusals, count, readable, again = done.stdout.splitlines()
        kept = int(count.removeprefix("kept "))
        assert kept > 10
        assert len(refusals) == 3
        for refusal in refusals:
            _, message, hint = refusal.split("|")
            assert message.startswith(f"cannot write to the journal {folder / FILE}: ")
            assert "full" in hint or "room" in hint
        assert (readable, again) == (f"readable {kept}", f"again {kept + 1} {kept + 2}")
        with read_only(folder) as archive:
            assert [event.id for event in archive.events(limit=10_000)] == list(range(1, kept + 3))
    finally:
        if how == "disk":
            subprocess.run(["umount", folder], check=True)
