from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.providers.process import log


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


def test_a_small_log_is_left_alone(file: Path) -> None:
    assert not log.rotate(file, 10, 3)
    file.write_bytes(b"x" * 10)
    assert not log.rotate(file, 10, 3)
    assert [f.name for f in file.parent.iterdir()] == ["a.log"]


def test_older_logs_move_on_and_the_oldest_goes(file: Path) -> None:
    for word in (b"one", b"two", b"three"):
        file.write_bytes(word * 10)
        assert log.rotate(file, 5 * len(word), 2)
        assert file.read_bytes() == b""
    older = {f.name: f.read_bytes() for f in file.parent.iterdir() if f != file}
    assert older == {"a.log.1": b"three" * 5, "a.log.2": b"two" * 5}


def test_nothing_older_is_kept_when_nothing_is_asked(file: Path) -> None:
    file.write_bytes(b"x" * 100)
    assert log.rotate(file, 10, 0)
    assert {f.name: f.read_bytes() for f in file.parent.iterdir()} == {"a.log": b""}


def test_whoever_appends_goes_on_at_the_start(file: Path) -> None:
    with log.opened(file) as writer:
        writer.write(b"before\n" * 10)
        log.rotate(file, 10, 1)
        writer.write(b"after\n")
    assert file.read_bytes() == b"after\n"


def test_a_copy_that_fails_still_frees_the_disk(file: Path) -> None:
    file.write_bytes(b"x" * 100)
    (file.parent / "a.log.1").mkdir()
    with pytest.raises(OSError, match=r"a\.log\.1"):
        log.rotate(file, 10, 1)
    assert file.read_bytes() == b""


def test_a_tail_goes_on_in_older_logs(file: Path) -> None:
    (file.parent / "a.log.2").write_text("1\n2\n")
    (file.parent / "a.log.1").write_text("3\n4\n")
    file.write_text("5\n")
    assert log.tail(file, 4) == ["2", "3", "4", "5"]
    assert log.tail(file, 40) == ["1", "2", "3", "4", "5"]


def test_a_tail_of_one_endless_line_is_bounded(file: Path) -> None:
    with file.open("wb") as out:
        out.truncate(64 * 1024 * 1024)
    (line,) = log.tail(file, 1)
    assert len(line) <= 5 * 1024 * 1024


def test_bytes_that_are_no_text_do_no_harm(file: Path) -> None:
    file.write_bytes(b"\xff\xfe ok\nlast")
    assert log.tail(file, 2) == ["�� ok", "last"]


@given(
    lines=st.lists(st.text(alphabet="abc", max_size=200), max_size=60),
    wanted=st.integers(0, 70),
    block=st.integers(1, 300),
)
def test_a_tail_is_the_end_of_the_whole(
    lines: list[str], wanted: int, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("log") / "a.log"
    file.write_text("".join(f"{line}\n" for line in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "_BLOCK", block)
        assert log.tail(file, wanted) == lines[max(0, len(lines) - wanted) :]
