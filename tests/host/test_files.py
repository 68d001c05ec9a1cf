"""The soft limit is raised to the hard one, and no further than anybody needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from poorwill.host.files import ENOUGH

CODE = "from poorwill.host.files import raise_limit as r; import resource as s; print(r(), *s.getrlimit(7))"


def said(soft: int, hard: int) -> list[int]:
    words = ["sh", "-c", f'ulimit -S -n {soft}; ulimit -H -n {hard}; exec "$@"', "sh", sys.executable, "-c"]
    out = subprocess.run([*words, CODE.replace("7", "s.RLIMIT_NOFILE")], capture_output=True, check=True)
    return [int(word) for word in out.stdout.split()]


@pytest.mark.parametrize(("soft", "hard"), [(256, 1024), (1024, 1024), (512, 4096)])
def test_it_is_raised_to_the_hard_limit(soft: int, hard: int) -> None:
    assert said(soft, hard) == [min(hard, ENOUGH), min(hard, ENOUGH), hard]
