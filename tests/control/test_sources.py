"""Numbers of the user's own, asked of a real server that answers as real ones do on their bad days."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.control.pages import VLLM, Pages, serving

from poorwill.config.source import Source
from poorwill.control import sources as module
from poorwill.control.sources import Sources
from poorwill.errors import Temporary

RUNNING = "vllm:num_requests_running"


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with serving() as server:
        yield server


@pytest.fixture
async def asks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sources]:
    monkeypatch.setattr(module, "ANSWER_WITHIN", 0.6)
    made = Sources()
    yield made
    await made.close()


def text(pages: Pages, metric: str = RUNNING, **more: Any) -> Source:
    return Source(**{"name": "mine", "kind": "text", "url": f"{pages.url}/metrics", "metric": metric, **more})


def promql(pages: Pages, **more: Any) -> Source:
    return Source(name="mine", kind="promql", url=pages.url, query="sum(up) > 0", **more)


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({}, 15.0),
        ({"aggregate": "max"}, 10.0),
        ({"aggregate": "avg"}, 5.0),
        ({"labels": (("model_name", "llama"),)}, 5.0),
        ({"labels": (("engine", "0"), ("model_name", "llama"))}, 3.0),
        ({"labels": (("model_name", 'qwen, "the \\ large"'),)}, 10.0),
        ({"metric": "vllm:num_requests_waiting"}, 7.0),
        ({"metric": "vllm:time_to_first_token_seconds_sum"}, 1.5),
        ({"metric": "vllm:time_to_first_token_seconds_bucket", "labels": (("le", "0.5"),)}, 4.0),
    ],
)
async def test_a_metric_of_a_page(pages: Pages, asks: Sources, more: dict[str, Any], value: float) -> None:
    pages.put("/metrics", VLLM)
    assert await asks.value(text(pages, **more), ()) == value


async def test_each_instance_is_asked_and_headers_are_sent(pages: Pages, asks: Sources) -> None:
    pages.put("/metrics", VLLM.replace("\n", "\r\n"))
    own = text(pages, url="http://{address}/metrics", per_instance=True, headers=(("x-key", "secret"),))
    assert await asks.value(own, (f"127.0.0.1:{pages.port}", f"localhost:{pages.port}")) == 30.0
    assert all("x-key: secret" in head for head in pages.seen)
    with pytest.raises(Temporary, match=r"127\.0\.0\.1:1/metrics"):
        await asks.value(own, (f"127.0.0.1:{pages.port}", "127.0.0.1:1"))


@pytest.mark.parametrize(
    ("body", "how", "words"),
    [
        (VLLM, {"status": 500}, "answers 500"),
        ("", {"status": 302}, "answers 302"),
        (VLLM, {"status": 401}, "answers 401"),
        ("", {}, "has no metric vllm:num_requests_running"),
        ("<!DOCTYPE html><html>vllm:num_requests_running 3", {"kind": "text/html"}, "a web page, not"),
        (VLLM, {"cut": 400}, "/metrics: "),
        (f"{RUNNING} 12", {}, "breaks off in the middle"),
        (f"{RUNNING}{{a 12\n", {}, "not in the Prometheus text format"),
        (f"{RUNNING} twelve\n", {}, "not in the Prometheus text format"),
        (f"{RUNNING} NaN\n", {}, "it is nan now"),
        (f'{RUNNING}{{a="1"}} +Inf\n{RUNNING}{{a="2"}} 1\n', {}, "it is inf now"),
        (f"{RUNNING}_other 3\n", {}, "has no metric"),
        (b"\x00\xff" * 5000, {"kind": "application/octet-stream"}, "has no metric"),
        (b"a" * (9 * 1024 * 1024), {}, "answers with more than 8 MiB"),
    ],
)
async def test_a_page_that_says_nothing(
    pages: Pages, asks: Sources, body: str | bytes, how: dict[str, Any], words: str
) -> None:
    pages.put("/metrics", body, **how)
    with pytest.raises(Temporary) as raised:
        await asks.value(text(pages), ())
    assert words in str(raised.value)


async def test_a_small_answer_that_unpacks_to_a_huge_one(pages: Pages, asks: Sources) -> None:
    packed = gzip.compress(b"a" * (32 * 1024 * 1024))
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    pages.pages["/metrics"] = head.encode() + packed
    with pytest.raises(Temporary, match="answers with more than 8 MiB"):
        await asks.value(text(pages), ())


async def test_labels_that_no_line_has(pages: Pages, asks: Sources) -> None:
    pages.put("/metrics", VLLM)
    with pytest.raises(Temporary, match="no line with these labels"):
        await asks.value(text(pages, labels=(("model_name", "gpt"),)), ())


async def test_what_hangs_is_given_up_and_what_is_gone_is_said(pages: Pages, asks: Sources) -> None:
    with pytest.raises(Temporary, match=r"/metrics has not answered within 0\.6 s"):
        await asks.value(text(pages, url=f"{pages.url}/metrics?token=secret"), ())
    pages.pages["/metrics"] = b"SSH-2.0-OpenSSH_9.2\r\n"
    with pytest.raises(Temporary):
        await asks.value(text(pages), ())
    with pytest.raises(Temporary, match="All connection attempts failed") as raised:
        await asks.value(text(pages, url="http://127.0.0.1:1/metrics"), ())
    assert raised.value.hint


@pytest.mark.parametrize(
    ("kind", "result", "value"),
    [
        ("vector", [{"metric": {}, "value": [1732561234.5, "12.5"]}], 12.5),
        ("vector", [{"metric": {"a": "1"}, "value": [1, "1"]}, {"metric": {}, "value": [1, "2"]}], 3.0),
        ("scalar", [1732561234.5, "4"], 4.0),
    ],
)
async def test_a_query(pages: Pages, asks: Sources, kind: str, result: Any, value: float) -> None:
    pages.query(kind, result)
    assert await asks.value(promql(pages), ()) == value
    assert pages.seen[0].startswith("GET /api/v1/query?query=sum%28up%29")


@pytest.mark.parametrize(
    ("kind", "result", "words"),
    [
        ("vector", [], "no result now"),
        ("vector", [{"metric": {}, "value": [1, "NaN"]}], "it is nan now"),
        ("vector", [{"metric": {}, "value": [1, "-Inf"]}], "it is -inf now"),
        ("vector", [{"metric": {}, "histogram": [1, {"count": "3"}]}], "no number"),
        ("scalar", [1], "no number"),
        ("vector", None, "no number"),
        ("matrix", [{"metric": {}, "values": [[1, "2"]]}], "gives a matrix"),
        ("string", [1, "hello"], "gives a string"),
    ],
)
async def test_a_query_without_a_number(
    pages: Pages, asks: Sources, kind: str, result: Any, words: str
) -> None:
    pages.query(kind, result)
    with pytest.raises(Temporary, match=words):
        await asks.value(promql(pages), ())


async def test_what_prometheus_itself_says(pages: Pages, asks: Sources) -> None:
    pages.error(400, "bad_data", 'invalid parameter "query": 1:5: parse error')
    with pytest.raises(Temporary, match="Prometheus says bad_data: invalid parameter"):
        await asks.value(promql(pages), ())
    pages.error(503, "timeout", "query timed out in expression evaluation")
    with pytest.raises(Temporary, match="Prometheus says timeout: "):
        await asks.value(promql(pages), ())
    pages.put("/api/v1/query", "<html>nginx", 502, "text/html")
    with pytest.raises(Temporary, match="/api/v1/query answers 502"):
        await asks.value(promql(pages), ())
    for odd in ("<html>", "[]", "3", '{"data": 1}', ""):
        pages.put("/api/v1/query", odd)
        with pytest.raises(Temporary, match="not answer like a Prometheus server"):
            await asks.value(promql(pages), ())
