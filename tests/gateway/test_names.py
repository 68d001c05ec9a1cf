"""Services with a name of their own, over TLS and without: real Envoy, real certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import httpx2
import pytest
import websockets
from tests.certificates import Authority
from tests.gateway.real_envoy import House, service, until
from tests.patience import PATIENCE

from poorwill.core.target import Target, Tls
from poorwill.gateway.clusters import Upstream
from poorwill.gateway.files import Files
from poorwill.gateway.routes import Site

IT = Site("it")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def trusting(authority: Authority) -> dict[str, Upstream]:
    return {"it": Upstream(tls=Tls(str(authority.file)))}


class Listener:
    """A service that remembers the heads of its requests."""

    def __init__(self) -> None:
        self.heads: list[dict[str, str]] = []
        self.writers: set[asyncio.StreamWriter] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
                self.heads.append(dict(line.split(": ", 1) for line in lines))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, ssl=tls)
        yield server.sockets[0].getsockname()[1]
        server.close()
        for writer in self.writers:
            writer.close()


async def visit(house: House, host: str = "kb.test") -> httpx2.Response:
    async with house.visitor() as client:
        return await client.get("/", headers={"host": host})


async def test_a_service_over_tls_is_called_by_its_own_name(house: House, authority: Authority) -> None:
    await house.start(IT, upstreams=trusting(authority))
    listener = Listener()
    async with listener.serving(authority.server("one.test")) as port:
        await house.opened("it", Target("127.0.0.1", port, "one.test"))
        assert (await visit(house)).status_code == 200
    assert authority.names == ["one.test"]
    assert listener.heads[0]["host"] == "one.test"
    assert listener.heads[0]["x-forwarded-host"] == "kb.test"
    assert listener.heads[0]["x-forwarded-proto"] == "http"


@pytest.mark.parametrize("withdrawn", [True, False])
async def test_a_name_that_changes_at_every_start(
    house: House, authority: Authority, withdrawn: bool
) -> None:
    """Clouds put all their instances behind one address: only the name tells them apart."""
    await house.start(IT, upstreams=trusting(authority))
    listener = Listener()
    async with listener.serving(authority.server("one.test", "two.test")) as port:
        for name in ("one.test", "two.test", "one.test"):
            if withdrawn:
                house.routed("it")
                await house.settled()
            await house.opened("it", Target("127.0.0.1", port, name))
            await house.settled()
            assert (await visit(house)).status_code == 200
            assert (authority.names[-1], listener.heads[-1]["host"]) == (name, name)


@pytest.mark.parametrize("called", ["two.test", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_refused(
    house: House, authority: Authority, called: str
) -> None:
    await house.start(IT, upstreams=trusting(authority))
    listener = Listener()
    async with listener.serving(authority.server("one.test")) as port:
        await house.opened("it", Target("127.0.0.1", port, called))
        answer = await visit(house)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "service_unreachable"
    assert listener.heads == []


async def test_a_certificate_that_nobody_vouches_for(
    house: House, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "others").mkdir()
    await house.start(
        IT,
        Site("lax", hosts=("lax.test",)),
        upstreams={**trusting(Authority(tmp_path / "others")), "lax": Upstream(tls=Tls(""))},
    )
    listener = Listener()
    async with listener.serving(authority.server("one.test")) as port:
        await house.opened("it", Target("127.0.0.1", port, "one.test"))
        await house.opened("lax", Target("127.0.0.1", port))
        assert (await visit(house)).status_code == 503
        assert (await visit(house, "lax.test")).status_code == 200, "verify: false"
    assert [head["host"] for head in listener.heads] == ["lax.test"]


async def test_plain_http_keeps_the_visitors_name_unless_told_otherwise(house: House) -> None:
    await house.start(IT)
    listener = Listener()
    async with listener.serving() as port:
        await house.opened("it", Target("127.0.0.1", port))
        await visit(house)
        await house.opened("it", Target("127.0.0.1", port, "inner.test"))
        await house.settled()
        await visit(house)
    assert [head["host"] for head in listener.heads] == ["kb.test", "inner.test"]
    assert [head.get("x-forwarded-host") for head in listener.heads] == [None, "kb.test"]


async def test_websockets_and_event_streams_over_tls(house: House, authority: Authority) -> None:
    await house.start(IT, upstreams=trusting(authority))

    async def reverse(socket: websockets.ServerConnection) -> None:
        async for message in socket:
            await socket.send(message[::-1])

    tls = authority.server("one.test")
    async with websockets.serve(reverse, "127.0.0.1", 0, ssl=tls) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        await house.opened("it", Target("127.0.0.1", port, "one.test"))
        async with websockets.connect(f"ws://127.0.0.1:{house.port}/", proxy=None) as socket:
            await socket.send("abc")
            assert await socket.recv() == "cba"

    release = asyncio.Event()

    async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        await release.wait()
        writer.write(b"data: 2\n\n")
        writer.close()

    async with service(stream, tls) as (_, port), house.visitor() as client:
        await house.opened("it", Target("127.0.0.1", port, "one.test"))
        await house.settled()
        async with client.stream("GET", "/") as answer:
            parts = answer.aiter_text()
            assert await anext(parts) == "data: 1\n\n", "it is not kept back until the end"
            release.set()
            assert await anext(parts) == "data: 2\n\n"


async def test_grpc_over_tls(house: House, authority: Authority) -> None:
    upstream = Upstream(http2=True, tls=Tls(str(authority.file)))
    await house.start(IT, upstreams={"it": upstream})
    pem = authority.issue("one.test").read_bytes()
    server = grpc.aio.server()

    async def double(request: bytes, _context: object) -> bytes:
        return request * 2

    rpc = grpc.unary_unary_rpc_method_handler(double)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("it", {"Double": rpc}),))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    await server.start()
    await house.opened("it", Target("127.0.0.1", port, "one.test"))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{house.port}") as channel:
        assert await channel.unary_unary("/it/Double")(b"ab", timeout=PATIENCE) == b"abab"
    await server.stop(None)


async def test_what_runs_is_spoken_to_as_before_until_it_moves(house: House, authority: Authority) -> None:
    """A reload may change how a service is spoken to while its old instance still answers."""
    await house.start(IT)
    old, new = Listener(), Listener()
    async with old.serving() as plain, new.serving(authority.server("one.test")) as encrypted:
        await house.opened("it", Target("127.0.0.1", plain))
        house.switchboard.reshape({"it": IT}, trusting(authority))
        await house.settled()
        assert (await visit(house)).status_code == 200
        house.routed("it")
        await house.settled()
        house.routed("it", Target("127.0.0.1", encrypted, "one.test"))
        await until(lambda: house.switchboard.confirmed("it"), "envoy follows")
        assert (await visit(house)).status_code == 200
    assert (len(old.heads), len(new.heads)) == (1, 1)


async def test_the_name_is_still_known_in_the_next_life(house: House, authority: Authority) -> None:
    await house.start(IT, upstreams=trusting(authority))
    listener = Listener()
    async with listener.serving(authority.server("one.test")) as port:
        await house.opened("it", Target("127.0.0.1", port, "one.test"))
        house.switchboard.load()
        found = Files(house.folder / "envoy").places("it")
        assert [place.target for place in found.values()] == [Target("127.0.0.1", port, "one.test")]
