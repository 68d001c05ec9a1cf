from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from tests.providers.conformance import DEADLINE, ProviderConformance, becomes, begin, end, refused
from tests.providers.script_place import CANNOT
from tests.providers.ssh.conftest import SshPlace
from tests.providers.ssh.sshd import Sshd

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.ssh import SshProvider


class TestConformance(ProviderConformance):
    cannot = CANNOT


def test_it_costs_nothing_to_those_who_do_not_use_it() -> None:
    look = "import sys, poorwill.providers.ssh; sys.exit('asyncssh' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look]).returncode == 0


async def test_a_password_that_is_not_set_is_told(place: SshPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    with pytest.raises(Permanent, match="NO_SUCH_PASSWORD"):
        await place.provider(password_env="NO_SUCH_PASSWORD").list()


async def test_paths_are_those_of_the_users_home(place: SshPlace) -> None:
    home = place.sshd.folder / "home"
    (home / "svc").symlink_to(place.folder)
    provider = place.provider(cwd="svc")
    await begin(provider, "a")
    assert (home / ".poorwill" / place.gateway / "s" / "a.log").exists()
    await end(provider, "a")


async def test_a_machine_that_is_away_says_nothing(place: SshPlace, sshd: Sshd) -> None:
    """Unknown, not absent: and when it is back, the life is the same."""
    place.options = {**place.options, "port": sshd.port, "key": str(sshd.key)}
    place.options = {**place.options, "known_hosts": str(sshd.known_hosts)}
    provider = place.provider()
    first = await begin(provider, "a")
    sshd.stop()
    async with asyncio.timeout(DEADLINE):
        while not await refused(provider.list()):  # the loss of the connection is noticed a moment later
            pass
    await sshd.start()
    assert (await becomes(provider, "a", Condition.RUNNING)).life == first.life


async def test_an_address_on_the_machine_through_a_tunnel(place: SshPlace, sshd: Sshd) -> None:
    provider = place.provider()
    assert isinstance(provider, SshProvider)
    tunnel = provider.tunnel(("127.0.0.1", sshd.port))
    host, port = await tunnel.open()
    reader, writer = await asyncio.open_connection(host, port)
    assert (await reader.read(4)) == b"SSH-"
    writer.close()
    await tunnel.close()
