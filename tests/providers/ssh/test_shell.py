from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.providers.conformance import until
from tests.providers.shell_behaviour import ShellBehaviour
from tests.providers.ssh.sshd import Sshd

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.ssh import HostKey, Target
from poorwill.providers.ssh.shell import SshShell


class TestBehaviour(ShellBehaviour):
    @pytest.fixture
    def shell(self, steady_shell: SshShell) -> SshShell:
        return steady_shell


async def refused(shell: SshShell) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        await shell.run("true", timeout=20)
    return error.value


async def works(shell: SshShell) -> bool:
    return (await shell.run("true", timeout=20)).code == 0


class TestHostKeys:
    async def test_a_first_contact_is_refused_with_the_way_out(self, sshd: Sshd, shell: SshShell) -> None:
        sshd.known_hosts.unlink()
        error = await refused(shell)
        assert isinstance(error, Permanent)
        assert "SHA256:" in str(error)
        assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in error.hint
        command = error.hint.partition("accept it here: ")[2]
        process = await asyncio.create_subprocess_shell(command)
        assert await process.wait() == 0
        assert await works(shell)

    async def test_a_changed_key_is_refused_loudly(self, sshd: Sshd, shell: SshShell) -> None:
        assert await works(shell)
        sshd.stop()
        sshd.new_host_key()
        await sshd.start()
        await until_lost(shell)
        error = await refused(shell)
        assert isinstance(error, Permanent)
        assert "HAS CHANGED" in str(error)
        assert "ssh-keygen -R" in error.hint
        sshd.accept()
        assert await works(shell)

    async def test_accept_new_remembers_and_refuses_a_change(self, sshd: Sshd, tmp_path: Path) -> None:
        sshd.known_hosts.unlink()
        shell = SshShell(lambda: sshd.target(host_key=HostKey.ACCEPT_NEW), tmp_path / "shell")
        assert await works(shell)
        await shell.close()
        assert "ssh-ed25519" in (tmp_path / "shell" / "known_hosts").read_text()
        assert not sshd.known_hosts.exists()
        again = SshShell(sshd.target, tmp_path / "shell")  # strict by now
        assert await works(again)
        await again.close()
        sshd.stop()
        sshd.new_host_key()
        await sshd.start()
        error = await refused(shell)
        assert isinstance(error, Permanent)
        assert "HAS CHANGED" in str(error)

    async def test_a_damaged_file_is_told(self, sshd: Sshd, shell: SshShell) -> None:
        sshd.known_hosts.write_text("nonsense\n")
        error = await refused(shell)
        assert isinstance(error, Permanent)
        assert str(sshd.known_hosts) in str(error)


async def until_lost(shell: SshShell) -> None:
    connection = shell._connection
    assert connection is not None
    await until(connection.is_closed, "it noticed")


class TestTrouble:
    async def test_a_key_that_is_not_accepted(self, sshd: Sshd, shell: SshShell) -> None:
        (sshd.folder / "authorized_keys").write_text("")
        error = await refused(shell)
        assert isinstance(error, Permanent)
        assert "does not accept us" in str(error)
        assert "authorized_keys" in error.hint

    async def test_a_key_that_is_missing(self, sshd: Sshd, tmp_path: Path) -> None:
        shell = SshShell(lambda: sshd.target(key=tmp_path / "none"), tmp_path)
        assert isinstance(await refused(shell), Permanent)

    async def test_a_key_that_is_none(self, sshd: Sshd, tmp_path: Path) -> None:
        (tmp_path / "none").write_text("not a key")
        shell = SshShell(lambda: sshd.target(key=tmp_path / "none"), tmp_path)
        error = await refused(shell)
        assert isinstance(error, Permanent)
        assert "cannot be used" in str(error)

    async def test_a_machine_that_is_not_there(self, sshd: Sshd, shell: SshShell) -> None:
        sshd.stop()
        error = await refused(shell)
        assert isinstance(error, Temporary)
        assert "firewall" in error.hint
        await sshd.start()
        assert await works(shell)

    async def test_a_name_that_nobody_knows(self, sshd: Sshd, tmp_path: Path) -> None:
        shell = SshShell(lambda: sshd.target(host="no-such-host.invalid"), tmp_path)
        assert isinstance(await refused(shell), Temporary)

    async def test_a_lost_connection_is_made_again(self, sshd: Sshd, shell: SshShell) -> None:
        assert await works(shell)
        sshd.cut()
        await until_lost(shell)
        assert await works(shell)

    async def test_lost_in_the_middle_the_command_goes_on(
        self, sshd: Sshd, shell: SshShell, tmp_path: Path
    ) -> None:
        command = "echo run >> runs; while [ ! -e over ]; do sleep 0.05; done; echo done"
        log = str(tmp_path / "x.log")
        running = asyncio.create_task(shell.run(command, timeout=60, cwd=str(tmp_path), log=log))
        await until((tmp_path / "runs").exists, "it runs")
        await until((tmp_path / "x.log.job").exists, "it is written down")
        sshd.cut()
        with pytest.raises(Temporary):
            await running
        again = asyncio.create_task(shell.run(command, timeout=60, cwd=str(tmp_path), log=log))
        await asyncio.wait([again], timeout=0.5)
        assert not again.done()
        (tmp_path / "over").touch()
        assert (await again).code == 0
        assert (tmp_path / "runs").read_text() == "run\n"

    async def test_no_machine_yet(self, tmp_path: Path) -> None:
        def target() -> Target:
            raise Temporary("there is no machine yet")

        assert str(await refused(SshShell(target, tmp_path))) == "there is no machine yet"


async def test_follows_a_machine_that_moves(sshd: Sshd, tmp_path: Path) -> None:
    other = Sshd(tmp_path / "other")
    await other.start()
    target = sshd.target()
    shell = SshShell(lambda: target, tmp_path / "shell")
    ask = 'echo "$SSH_CONNECTION"'
    assert (await shell.run(ask, timeout=20)).output.split()[-1] == str(sshd.port)
    target = replace(target, port=other.port, key=other.key, known_hosts=other.known_hosts)
    assert (await shell.run(ask, timeout=20)).output.split()[-1] == str(other.port)
    await shell.close()
    other.stop()


async def test_settings_of_ssh_itself_hold(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "home" / ".ssh" / "config").write_text(
        f"Host box\n  HostName 127.0.0.1\n  Port {sshd.port}\n  IdentityFile {sshd.key}\n"
    )
    shell = SshShell(lambda: Target("box", known_hosts=sshd.known_hosts), tmp_path / "shell")
    assert await works(shell)
    await shell.close()


async def test_a_socket_over_there_is_one_here(sshd: Sshd, shell: SshShell, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello " + await reader.readline())
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "there.sock")
    here = await shell.socket(str(tmp_path / "there.sock"))

    async def ask() -> bytes:
        reader, writer = await asyncio.open_unix_connection(here)
        writer.write(b"you\n")
        said = await reader.read()
        writer.close()
        return said

    assert await ask() == b"hello you\n"
    assert here.stat().st_mode & 0o777 == 0o600
    assert here.parent.stat().st_mode & 0o777 == 0o700
    assert await shell.socket(str(tmp_path / "there.sock")) == here
    sshd.cut()
    await until_lost(shell)
    assert await shell.socket(str(tmp_path / "there.sock")) == here
    assert await ask() == b"hello you\n"
    await shell.close()
    assert not here.exists()
    server.close()
