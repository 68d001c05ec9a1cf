"""Fixtures of the SSH tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from tests.providers.script_place import ScriptPlace, impatient
from tests.providers.ssh.sshd import Sshd

from poorwill.providers.shell.service import ScriptProvider
from poorwill.providers.ssh import Options, SshProvider, SshShell

__all__ = ["impatient"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys and the settings of the person who runs the tests are left out of it."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[Sshd]:
    server = Sshd(tmp_path / "sshd")
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def shell(sshd: Sshd, tmp_path: Path) -> AsyncIterator[SshShell]:
    shell = SshShell(sshd.target, tmp_path / "shell")
    yield shell
    await shell.close()


class SshPlace(ScriptPlace):
    """The same scripts, reached over SSH."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        super().__init__(folder)
        self.sshd = sshd
        target = sshd.target()
        self.options = {
            **self.options,
            "cwd": str(self.folder),
            "host": target.host,
            "port": target.port,
            "user": target.user,
            "key": str(target.key),
            "known_hosts": str(target.known_hosts),
        }

    def built(self, options: Mapping[str, object]) -> ScriptProvider:
        return SshProvider(Options.model_validate(options), self.around())


@pytest.fixture
async def place(tmp_path: Path, sshd: Sshd) -> AsyncIterator[SshPlace]:
    place = SshPlace(tmp_path, sshd)
    yield place
    await place.close()
