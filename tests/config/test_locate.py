"""Commands that only talk to a running program need the state folder, and nothing else of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.config import Whereabouts, locate
from poorwill.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    file = folder / "poorwill.yaml"
    file.write_text(text)
    return file


def test_the_rest_of_the_file_may_be_wrong(tmp_path: Path) -> None:
    file = written(tmp_path, 'state: ./here\ntimezone: Asia/Shanghai\nservcies: {a: {run: "${NOT_SET}"}}\n')
    assert locate(file, {}) == Whereabouts(tmp_path / "here", "Asia/Shanghai")


def test_defaults(tmp_path: Path) -> None:
    file = written(tmp_path, "services: {}\ntimezone: Nowhere/Nothing\n")
    assert locate(file, {}).state == tmp_path / "poorwill-state"


def test_the_folder_may_come_from_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, "state: ${STATE}\n")
    assert locate(file, {"STATE": "/srv/state"}).state == Path("/srv/state")
    with pytest.raises(ConfigError, match=r"poorwill\.yaml:1:8: state: .*STATE"):
        locate(file, {})


@pytest.mark.parametrize("text", ["state: []\n", "state: ''\n", "a: [\n", ""])
def test_without_a_folder_there_is_nobody_to_talk_to(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        locate(written(tmp_path, text), {})
