"""The soft limit is raised to the hard one, and no further than anybody needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource
from poorwill.host.files import connections, raise_limit
print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE), connections())
"""


def said(soft: int, hard: int) -> list[int]:
    words = ["sh", "-c", f'ulimit -S -n {soft}; ulimit -H -n {hard}; exec "$@"', "sh", sys.executable, "-c"]
    out = subprocess.run([*words, CODE], capture_output=True, check=True)
    return [int(word) for word in out.stdout.split()]


@pytest.mark.parametrize(("soft", "hard"), [(256, 1024), (1024, 1024), (512, 4096)])
def test_it_is_raised_to_the_hard_limit(soft: int, hard: int) -> None:
    """And half of it is for visitors: each needs one more towards the service."""
    assert said(soft, hard) == [hard, hard, hard, (hard - 200) // 2]
