"""Ready means it answers, asked of real little servers that behave as badly as real programs do."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from tests.control.virtual_time import in_virtual_time, running
from tests.patience import PATIENCE

from poorwill.control import probe as module
from poorwill.control.probe import Probe, until_ready
from poorwill.core.target import Target

ACCEPT_2XX = range(200, 300).__contains__
DEADLINE = PATIENCE


class Server:
    """Answers each request with the next of ``answers`` (the last for ever): a status or raw bytes.

    None hangs up without an answer, "hang" never answers.
    """

    def __init__(self, answers: Sequence[int | bytes | str | None] = (200,)) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.headers: list[str] = []
        self.asked = asyncio.Event()
        self.gone = asyncio.Event()
        self.address = Target("127.0.0.1", free_port())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(" ".join(head.split()[:2]))
                self.headers.append(head.lower())
                self.asked.set()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    break
                if answer == "hang":
                    await reader.read()
                    self.gone.set()
                    break
                writer.write(answer if isinstance(answer, bytes) else page(int(answer)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a connection that only asked whether the port is open, or was given up
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self.serve, *self.address[:2])
        try:
            yield self
        finally:
            server.close()


def page(status: int) -> bytes:
    location = b"location: /elsewhere\r\n" if 300 <= status < 400 else b""
    return b"HTTP/1.1 %d X\r\ncontent-length: 2\r\n%s\r\nok" % (status, location)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def http(path: str = "/healthz", accepts: Callable[[int], bool] = ACCEPT_2XX, **more: object) -> Probe:
    return Probe(path, accepts, **more)  # type: ignore[arg-type]


async def ready(probe: Probe, server: Server) -> list[str]:
    """Wait for the probe; returns what it said on the way."""
    said: list[str] = []
    async with asyncio.timeout(DEADLINE):
        await until_ready(probe, server.address, said.append)
    return said


# --- the port ---------------------------------------------------------------------------------------


async def test_an_open_port_is_enough_when_no_path_is_given() -> None:
    async with Server().listening() as server:
        assert await ready(Probe(None, ACCEPT_2XX), server) == []
        assert server.requests == []


async def test_a_port_that_opens_late() -> None:
    server, said = Server(), []
    refused = asyncio.Event()

    def failed(why: str) -> None:
        said.append(why)
        refused.set()

    asking = asyncio.ensure_future(until_ready(http(), server.address, failed))
    async with asyncio.timeout(DEADLINE):
        await refused.wait()
        assert not asking.done()
        async with server.listening():
            await asking
    assert set(said) == {f"127.0.0.1:{server.address[1]} does not accept connections (Connection refused)"}
    assert server.requests == ["GET /healthz"]


# --- the question -----------------------------------------------------------------------------------


async def test_only_an_answer_that_is_accepted_counts() -> None:
    async with Server([500, 503, 404, 200]).listening() as server:
        said = await ready(http(), server)
        assert said == [f"GET /healthz answered {status}" for status in (500, 503, 404)]
        assert server.requests == ["GET /healthz"] * 4


async def test_the_status_is_judged_by_the_service_s_own_rule() -> None:
    async with Server([200, 401]).listening() as server:
        assert await ready(http(accepts=lambda status: status == 401), server) == [
            "GET /healthz answered 200"
        ]


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with Server([302, 200]).listening() as server:
        assert await ready(http(), server) == ["GET /healthz answered 302"]
        assert server.requests == ["GET /healthz", "GET /healthz"]
    async with Server([302]).listening() as server:
        assert await ready(http(accepts=lambda status: status < 400), server) == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="hangs up"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="speaks something else"),
        pytest.param(b"HTTP/1.1 \xff\xff\r\n\r\n", id="speaks nonsense"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n", id="cannot count"),
        pytest.param(b"HTTP/1.1 500 X\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n", id="has too much to say"),
    ],
)
async def test_an_answer_that_is_none_is_asked_for_again(
    answer: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT", 0.5)
    async with Server([answer, 200]).listening() as server:
        (why,) = await ready(http(), server)
        assert why.startswith("GET /healthz")


async def test_a_question_that_hangs_is_given_up_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT", 0.2)
    async with Server(["hang", 200]).listening() as server:
        (why,) = await ready(http(), server)
        assert why.startswith("GET /healthz: ")
        async with asyncio.timeout(DEADLINE):
            await server.gone.wait()


async def test_a_body_that_never_ends_is_not_waited_for() -> None:
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nfirst bytes"
    async with Server([endless]).listening() as server:
        assert await ready(http(), server) == []


async def test_the_headers_of_the_probe_are_sent() -> None:
    async with Server().listening() as server:
        await ready(http(headers={"authorization": "Bearer x", "host": "kb.example.com"}), server)
        assert "authorization: bearer x" in server.headers[0]
        assert "host: kb.example.com" in server.headers[0]
        assert server.headers[0].count("host:") == 1


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with Server().listening() as server:
        assert await ready(http(), server) == []


async def test_it_can_be_called_off_while_a_question_hangs() -> None:
    async with Server(["hang"]).listening() as server:
        asking = asyncio.ensure_future(until_ready(http(), server.address, lambda _: None))
        async with asyncio.timeout(DEADLINE):
            await server.asked.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await server.gone.wait()


# --- the warm-up ------------------------------------------------------------------------------------


async def test_warm_up_comes_after_the_answer_in_its_own_order() -> None:
    async with Server([503, 200]).listening() as server:
        await ready(http(warmup=("/model", "/index?deep=1", "/")), server)
        assert server.requests == ["GET /healthz", "GET /healthz", "GET /model", "GET /index?deep=1", "GET /"]


@pytest.mark.parametrize("answer", [500, None, b"nonsense\r\n\r\n"])
async def test_a_warm_up_that_fails_delays_nobody(answer: int | bytes | None) -> None:
    async with Server([200, answer, 200]).listening() as server:
        assert await ready(http(warmup=("/model", "/index")), server) == []
        assert server.requests == ["GET /healthz", "GET /model", "GET /index"]


async def test_a_warm_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WARMUP_TIMEOUT", 0.2)
    async with Server([200, "hang", 200]).listening() as server:
        assert await ready(http(warmup=("/model", "/index")), server) == []
        assert server.requests[-1] == "GET /index"


# --- the pace ---------------------------------------------------------------------------------------


@in_virtual_time
async def test_it_asks_tightly_at_first_and_backs_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start of any length is noticed within about one per cent of it, and never later than the slowest."""

    async def refuse(*_: object, **_more: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(asyncio, "open_connection", refuse)
    moments: list[float] = []
    asking = asyncio.ensure_future(
        until_ready(
            Probe(None, ACCEPT_2XX), Target("127.0.0.1", 1), lambda _: moments.append(running().time())
        )
    )
    await asyncio.sleep(300)
    asking.cancel()
    begun = moments[0]
    gaps = [(before - begun, after - before) for before, after in itertools.pairwise(moments)]
    assert all(gap == pytest.approx(module.TIGHT, abs=1e-6) for waited, gap in gaps if waited < 1.9)
    assert all(gap <= max(module.TIGHT, 0.0101 * waited) for waited, gap in gaps)
    assert gaps[-1][1] == pytest.approx(module.PORT_SLOWEST)
    assert len(moments) < 2_000
