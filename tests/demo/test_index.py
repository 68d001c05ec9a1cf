"""The index follows the folder: whatever was lost or changed while nothing ran is put right on opening."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from poorwill.demo.answers import answer
from poorwill.demo.index import FolderUnusable, Index
from poorwill.demo.sample import seed


def found_in(index: Index, question: str) -> list[str]:
    return [passage.document for passage in answer(index, question).passages]


def test_a_text_is_found_and_still_there_after_reopening(tmp_path: Path) -> None:
    index = Index(tmp_path)
    stored = index.add("bird.txt", "The poorwill hibernates.")
    assert (stored.name, stored.passages, stored.bytes) == ("bird.txt", 1, 24)
    index.close()
    index = Index(tmp_path)
    assert found_in(index, "hibernation") == ["bird.txt"]
    assert (tmp_path / "documents" / "bird.txt").read_text() == "The poorwill hibernates."
    index.close()


def test_a_second_text_of_the_same_name_replaces_the_first(tmp_path: Path) -> None:
    index = Index(tmp_path)
    index.add("a.txt", "apples")
    index.add("a.txt", "pears")
    assert found_in(index, "apples") == []
    assert found_in(index, "pears") == ["a.txt"]
    assert [document.name for document in index.documents()] == ["a.txt"]
    index.close()


def test_files_that_came_changed_or_went_meanwhile(tmp_path: Path) -> None:
    index = Index(tmp_path)
    for name, text in (("gone.txt", "cherries"), ("changed.txt", "apples"), ("same.md", "plums")):
        index.add(name, text)
    index.close()
    documents = tmp_path / "documents"
    (documents / "gone.txt").unlink()
    (documents / "changed.txt").write_text("pears")
    (documents / "came.md").write_text("\ufeffquinces", encoding="utf-8")
    (documents / "picture.png").write_bytes(b"plums")
    (documents / "latin.txt").write_bytes(b"caf\xe9 plums")
    (documents / ".incoming-1-2").write_text("half an upload of plums")
    index = Index(tmp_path)
    assert sorted(document.name for document in index.documents()) == ["came.md", "changed.txt", "same.md"]
    assert found_in(index, "cherries apples") == []
    assert found_in(index, "pears") == ["changed.txt"]
    assert found_in(index, "quinces") == ["came.md"]
    assert found_in(index, "plums") == ["same.md"]
    assert not (documents / ".incoming-1-2").exists()
    index.close()


@pytest.mark.parametrize("damage", [b"", b"this is no database, only text" * 200])
def test_a_lost_or_damaged_index_is_built_again(tmp_path: Path, damage: bytes) -> None:
    index = Index(tmp_path)
    index.add("a.txt", "apples")
    index.close()
    (tmp_path / "index.db").write_bytes(damage)
    index = Index(tmp_path)
    assert found_in(index, "apples") == ["a.txt"]
    index.close()
    assert len(list(tmp_path.glob("index.db.damaged-*"))) == (1 if damage else 0)


def test_an_upload_that_fails_leaves_nothing(tmp_path: Path) -> None:
    index = Index(tmp_path)
    index.add("a.txt", "apples")
    (tmp_path / "documents" / "b.txt").mkdir()  # the rename onto it must fail, after everything was indexed
    with pytest.raises(OSError, match="directory"):
        index.add("b.txt", "pears")
    assert [document.name for document in index.documents()] == ["a.txt"]
    assert found_in(index, "pears") == []
    assert index.add("c.txt", "pears").passages == 1
    index.close()
    assert [path.name for path in (tmp_path / "documents").glob(".*")] == []


def test_a_folder_that_is_a_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(FolderUnusable, match="data"):
        Index(tmp_path / "data")


def test_seeding_happens_once_and_never_over_what_is_there(tmp_path: Path) -> None:
    assert seed(tmp_path / "new") == 3
    assert seed(tmp_path / "new") == 0
    (tmp_path / "used" / "documents").mkdir(parents=True)
    (tmp_path / "used" / "documents" / "mine.txt").write_text("mine")
    assert seed(tmp_path / "used") == 0


def test_the_index_holds_no_more_than_its_documents(tmp_path: Path) -> None:
    index = Index(tmp_path)
    for turn in range(5):
        index.add("a.txt", f"turn {turn}\n\n" + "word " * 500)
    index.close()
    with sqlite3.connect(tmp_path / "index.db") as database:
        passages = database.execute("SELECT count(*) FROM passage").fetchone()
        assert passages == database.execute("SELECT count(*) FROM search").fetchone()
        assert passages == database.execute("SELECT passages FROM document").fetchone()
    database.close()
