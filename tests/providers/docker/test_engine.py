"""The ways to an engine: a socket, TCP with certificates, SSH; and what is said when there is no way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import pytest
from tests.docker_engine import DockerEngine
from tests.ports import free_port

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.base import Surroundings
from poorwill.providers.docker import DockerProvider
from poorwill.providers.docker.complaints import no_engine
from poorwill.providers.docker.endpoint import Endpoint, endpoint
from poorwill.providers.docker.engine import Engine
from poorwill.providers.docker.options import ContainerOptions, Tls
from poorwill.providers.shell.local import LocalShell


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Endpoint], Engine]]:
    made: list[Engine] = []

    def make(place: Endpoint) -> Engine:
        made.append(Engine(place))
        return made[-1]

    yield make
    for engine in made:
        await engine.close()


async def complaint(engine: Engine) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await engine.search({})
    assert raised.value.hint
    return raised.value


class TestNoWay:
    async def test_no_engine(self, tmp_path: Path, connect: Callable[[Endpoint], Engine]) -> None:
        error = await complaint(connect(Endpoint(f"unix://{tmp_path}/docker.sock")))
        assert isinstance(error, Temporary)
        assert str(error) == f"there is no Docker Engine at unix://{tmp_path}/docker.sock"

    async def test_an_engine_that_is_down(
        self, tmp_path: Path, connect: Callable[[Endpoint], Engine]
    ) -> None:
        error = await complaint(connect(Endpoint(f"tcp://127.0.0.1:{free_port()}")))
        assert isinstance(error, Temporary)
        assert "does not answer" in str(error)

    def test_no_permission(self) -> None:
        """The words."""
        error = no_engine(PermissionError(13, "Permission denied"), "unix:///var/run/docker.sock")
        assert isinstance(error, Permanent)
        assert "no permission to talk to the Docker Engine at unix:///var/run/docker.sock" in str(error)
        assert "group docker" in error.hint
        assert "rootless" in error.hint

    async def test_no_permission_as_somebody_else(
        self, docker_engine: DockerEngine, connect: Callable[[Endpoint], Engine]
    ) -> None:
        docker_engine.folder.chmod(0o755)
        await connect(Endpoint(docker_engine.url)).search({})  # what is imported may be root's alone
        os.seteuid(65534)
        try:
            error = await complaint(connect(Endpoint(docker_engine.url)))
        finally:
            os.seteuid(0)
        assert isinstance(error, Permanent)
        assert "no permission" in str(error)


class TestWhichEngine:
    def test_the_option_first(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("DOCKER_HOST", "tcp://other:2375")
        assert endpoint("ssh://me@gpu", None, tmp_path) == Endpoint("ssh://me@gpu")
        assert endpoint("ssh://me@gpu", None, tmp_path).host == "gpu"

    def test_the_environment_then(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("DOCKER_HOST", "other:2375")
        assert endpoint(None, None, tmp_path) == Endpoint("tcp://other:2375")

    @pytest.mark.parametrize("engine", [None, "unix:///run/other.sock"])
    def test_that_of_the_machine_whatever_is_set_here(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str | None
    ) -> None:
        monkeypatch.setenv("DOCKER_HOST", "tcp://other:2375")
        around = Surroundings("g", "s", tmp_path, tmp_path, lambda: None, shell=LocalShell())
        provider = DockerProvider(ContainerOptions(container="kb", engine=engine), around)
        assert provider._endpoint == Endpoint(engine)

    def test_the_current_context_then(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("DOCKER_HOST", raising=False)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        words = ["docker", "--config", str(tmp_path), "context"]
        made = [*words, "create", "gpu", "--docker", "host=ssh://me@gpu"]
        for command in (made, [*words, "use", "gpu"]):
            subprocess.run(command, check=True, capture_output=True)
        assert endpoint(None, None, tmp_path) == Endpoint("ssh://me@gpu", of_context=True)

    def test_a_context_that_is_gone(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("DOCKER_HOST", raising=False)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        monkeypatch.setenv("DOCKER_CONTEXT", "gpu")
        with pytest.raises(Permanent, match="the docker context gpu cannot be read"):
            endpoint(None, None, tmp_path)

    def test_files_belong_to_the_folder_of_the_configuration(self, tmp_path: Path) -> None:
        tls = Tls(ca=Path("ca.pem"), cert=Path("cert.pem"), key=Path("/etc/key.pem"))
        found = endpoint("tcp://gpu:2376", tls, tmp_path)
        assert found.tls == Tls(ca=tmp_path / "ca.pem", cert=tmp_path / "cert.pem", key=Path("/etc/key.pem"))


class TestCertificates:
    @pytest.mark.slow
    async def test_tcp_with_certificates(self, tmp_path: Path, connect: Callable[[Endpoint], Engine]) -> None:
        certificates(tmp_path)
        port = free_port()
        engine = DockerEngine()
        engine.extra = ["--host", f"tcp://127.0.0.1:{port}", "--tlsverify"]
        for flag, name in (("tlscacert", "ca"), ("tlscert", "server"), ("tlskey", "server-key")):
            engine.extra += [f"--{flag}", str(tmp_path / f"{name}.pem")]
        url = f"tcp://127.0.0.1:{port}"
        tls = Tls(ca=tmp_path / "ca.pem", cert=tmp_path / "client.pem", key=tmp_path / "client-key.pem")
        try:
            engine.create()
            assert await connect(Endpoint(url, tls)).search({}) == []
            strange = Tls(ca=tmp_path / "server.pem", cert=tls.cert, key=tls.key)
            error = await complaint(connect(Endpoint(url, strange)))
            assert isinstance(error, Permanent)
            assert "do not trust each other" in str(error)
        finally:
            engine.destroy()

    async def test_files_that_are_missing(
        self, tmp_path: Path, connect: Callable[[Endpoint], Engine]
    ) -> None:
        tls = Tls(ca=tmp_path / "ca.pem", cert=tmp_path / "client.pem", key=tmp_path / "client-key.pem")
        error = await complaint(connect(Endpoint("tcp://127.0.0.1:2376", tls)))
        assert "the certificates for tcp://127.0.0.1:2376 cannot be read" in str(error)


def certificates(folder: Path) -> None:
    """An authority, and a certificate of it for the server and for the client."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    openssl(*"req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 2 -subj /CN=ca".split())
    for name, also in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(also)
        new = f"req -newkey rsa:2048 -nodes -keyout {name}-key.pem -out {name}.csr -subj /CN={name}"
        openssl(*new.split())
        sign = f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out {name}.pem"
        openssl(*sign.split(), "-days", "2", "-extfile", f"{name}.ext")


class TestSsh:
    @pytest.fixture
    async def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A home folder with a key, which is what asyncssh and ``ssh`` look at."""
        folder = tmp_path / ".ssh"
        folder.mkdir(mode=0o700)
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / "id_ed25519")
        (folder / "id_ed25519").chmod(0o600)
        key.write_public_key(folder / "id_ed25519.pub")
        key.write_public_key(tmp_path / "authorized_keys")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        return folder

    @pytest.fixture
    async def server(self, home: Path) -> AsyncIterator[tuple[int, asyncssh.SSHKey]]:
        """A host that lets this key in and forwards to its sockets."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[key],
            authorized_client_keys=str(home.parent / "authorized_keys"),
            server_factory=Forwarding,
        )
        yield server.get_port(), key
        server.close()
        await server.wait_closed()

    async def test_through_ssh(
        self,
        docker_engine: DockerEngine,
        home: Path,
        server: tuple[int, asyncssh.SSHKey],
        connect: Callable[[Endpoint], Engine],
    ) -> None:
        port, key = server
        public = key.export_public_key().decode().strip()
        (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
        place = Endpoint(f"ssh://root@127.0.0.1:{port}{docker_engine.socket}")
        engine = connect(place)
        assert await engine.search({}) == []
        assert float(await engine.clock()) > 0

    async def test_a_host_that_is_not_known(
        self, home: Path, server: tuple[int, asyncssh.SSHKey], connect: Callable[[Endpoint], Engine]
    ) -> None:
        (home / "known_hosts").touch()
        error = await complaint(connect(Endpoint(f"ssh://root@127.0.0.1:{server[0]}")))
        assert isinstance(error, Permanent)
        assert "the host key of 127.0.0.1 is not known, or it has changed" in str(error)

    async def test_a_host_that_does_not_let_us_in(
        self, home: Path, server: tuple[int, asyncssh.SSHKey], connect: Callable[[Endpoint], Engine]
    ) -> None:
        port, key = server
        public = key.export_public_key().decode().strip()
        (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
        other = asyncssh.generate_private_key("ssh-ed25519")
        other.write_private_key(home / "id_ed25519")
        other.write_public_key(home / "id_ed25519.pub")
        error = await complaint(connect(Endpoint(f"ssh://root@127.0.0.1:{port}")))
        assert isinstance(error, Permanent)
        assert "refuses us" in str(error)

    async def test_a_host_that_is_away(self, home: Path, connect: Callable[[Endpoint], Engine]) -> None:
        error = await complaint(connect(Endpoint(f"ssh://root@127.0.0.1:{free_port()}")))
        assert isinstance(error, Temporary)
        assert "cannot be reached over SSH" in str(error)


class Forwarding(asyncssh.SSHServer):
    def unix_connection_requested(self, dest_path: str) -> bool:
        return Path(dest_path).exists()
