"""``poorwill password`` prints what goes into the file, and it is good for the secret that it was made of."""

from __future__ import annotations

import io
import re
import sys

import pytest

from poorwill.cli.password import password
from poorwill.core.credential import key_digest, user_digest, written_key, written_user
from poorwill.errors import BadInput


def line(text: str, kind: str, name: str) -> str:
    """What stands behind the name."""
    found = re.fullmatch(rf"{kind}:\n  {name}: (\S+)\n", text)
    assert found
    return found[1]


def test_a_password_from_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    password("ann")
    said = capsys.readouterr()
    written = written_user(line(said.out, "users", "ann"))
    assert written is not None
    salt, digest = written
    assert digest == user_digest(salt, "ann", "correct horse")
    assert "correct" not in said.out + said.err


def test_a_new_password_is_shown_apart_from_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    made = set()
    for _ in range(2):
        password("ann", new=True)
        said = capsys.readouterr()
        secret = said.err.split()[-1]
        written = written_user(line(said.out, "users", "ann"))
        assert written is not None
        assert written[1] == user_digest(written[0], "ann", secret)
        assert secret not in said.out
        made.add(secret)
    assert len(made) == 2


def test_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    password("ci", key=True)
    said = capsys.readouterr()
    secret = said.err.split()[-1]
    assert len(secret) >= 40
    assert written_key(line(said.out, "keys", "ci")) == key_digest(secret)


@pytest.mark.parametrize("typed", ["", "short\n", "x" * 600 + "\n"])
def test_too_short_or_too_long(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with pytest.raises(BadInput, match="8 to 512 characters"):
        password("ann")
