"""What the host runs short of, in words."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from poorwill.errors import Temporary
from poorwill.host import trouble
from poorwill.providers.base import broken


def test_it_names_the_file_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as missing:
        (tmp_path / "there").read_text()
    assert trouble.words(missing.value) == f"No such file or directory: {tmp_path / 'there'}"
    assert trouble.hint(missing.value) == ""
    assert "LimitNOFILE" in trouble.hint(OSError(errno.EMFILE, "Too many open files"))
    assert trouble.hint(OSError("nothing is known")) == ""


def test_what_the_host_lacks_is_no_mistake_of_a_provider() -> None:
    error = broken(OSError(errno.EMFILE, "Too many open files"))
    assert isinstance(error, Temporary)
    assert str(error) == "this host: Too many open files"
    assert "ulimit -n" in error.hint
    assert "mistake in the provider" in broken(KeyError("x")).hint
