"""Asking over TLS: the name, the certificate, and what is wrong with them in words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.certificates import Authority
from tests.control.test_probe import Server
from tests.patience import PATIENCE

from poorwill.control.probe import Probe, until_ready
from poorwill.core.target import Target, Tls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None) -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, *server.address[:2], ssl=tls)
    try:
        yield server
    finally:
        listening.close()


async def ready(probe: Probe, target: Target) -> None:
    async with asyncio.timeout(PATIENCE):
        await until_ready(probe, target, lambda _: None)


async def complaint(probe: Probe, target: Target) -> str:
    """The first thing it says, after which nobody waits any longer."""
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def failed(why: str) -> None:
        if not said.done():
            said.set_result(why)

    asking = asyncio.ensure_future(until_ready(probe, target, failed))
    try:
        async with asyncio.timeout(PATIENCE):
            return await said
    finally:
        asking.cancel()


def probe(authority: Authority, path: str | None = "/healthz", **more: object) -> Probe:
    accepts: Callable[[int], bool] = range(200, 300).__contains__
    return Probe(path, accepts, tls=Tls(str(authority.file)), **more)  # type: ignore[arg-type]


def named(server: Server, name: str) -> Target:
    return server.address._replace(name=name)


async def test_it_asks_by_name(authority: Authority) -> None:
    async with serving(authority.server("one.test", "two.test")) as server:
        await ready(probe(authority, warmup=("/warm",)), named(server, "two.test"))
        assert server.requests == ["GET /healthz", "GET /warm"]
        assert all("host: two.test\r\n" in head for head in server.headers)
    assert authority.names[-1] == "two.test"


async def test_the_user_may_send_another_host(authority: Authority) -> None:
    async with serving(authority.server("one.test")) as server:
        await ready(probe(authority, headers={"Host": "other.test"}), named(server, "one.test"))
        assert "host: other.test\r\n" in server.headers[0]


@pytest.mark.parametrize("path", ["/healthz", None])
async def test_a_wrong_certificate_in_words(authority: Authority, path: str | None, tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    async with serving(authority.server("one.test")) as server:
        said = await complaint(probe(authority, path), named(server, "two.test"))
        assert "its certificate is not accepted: Hostname mismatch" in said
        assert "two.test" in said
        said = await complaint(probe(Authority(tmp_path / "others"), path), named(server, "one.test"))
        assert "its certificate is not accepted: " in said
        assert not server.requests


@pytest.mark.parametrize("path", ["/healthz", None])
async def test_any_certificate_when_none_is_checked(authority: Authority, path: str | None) -> None:
    lax = Probe(path, range(200, 300).__contains__, tls=Tls(""))
    async with serving(authority.server("one.test")) as server:
        await ready(lax, server.address)


@pytest.mark.parametrize("path", ["/healthz", None])
async def test_a_service_that_speaks_plain_http(authority: Authority, path: str | None) -> None:
    async def misunderstand(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(misunderstand, "127.0.0.1", 0) as server:
        target = Target(*server.sockets[0].getsockname(), "one.test")
        assert "it does not speak TLS there" in await complaint(probe(authority, path), target)


async def test_plain_http_by_name(authority: Authority) -> None:
    async with serving(None) as server:
        await ready(Probe("/", range(200, 300).__contains__), named(server, "inner.test"))
        assert "host: inner.test\r\n" in server.headers[0]


async def test_a_service_that_only_has_to_connect_must_still_show_its_certificate(
    authority: Authority,
) -> None:
    async with serving(authority.server("one.test")) as server:
        await ready(probe(authority, None), named(server, "one.test"))
        assert authority.names == ["one.test"]
        assert server.requests == []
