from __future__ import annotations

import pytest
from tests.providers.shell_behaviour import ShellBehaviour

from poorwill.host.table import MARK
from poorwill.providers.shell.local import LocalShell


@pytest.fixture
def shell() -> LocalShell:
    return LocalShell()


class TestLocal(ShellBehaviour):
    async def test_sees_a_clean_environment(self, shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("A_SECRET", "x")
        monkeypatch.setenv(MARK, "g/s/a")
        seen = (await shell.run("env", timeout=20)).output
        assert "PATH=" in seen
        assert "A_SECRET" not in seen
        assert MARK not in seen
