"""A server of metrics as unkind as real ones: it answers each path with the bytes that a test wrote."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 3.0
vllm:num_requests_running{engine="1",model_name="llama"} 2.0
vllm:num_requests_running{engine="0",model_name="qwen, \\"the \\\\ large\\""} 1e1
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="llama"} 7.0 1732561234567
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{le="0.5",model_name="llama"} 4.0
vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="llama"} 5.0
vllm:time_to_first_token_seconds_count{model_name="llama"} 5.0
vllm:time_to_first_token_seconds_sum{model_name="llama"} 1.5
"""


@dataclass
class Pages:
    """``pages`` maps a path to a whole answer. ``seen`` has the head of each request."""

    pages: dict[str, bytes] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(
        self, path: str, body: str | bytes, status: int = 200, kind: str = "text/plain", cut: int = 0
    ) -> None:
        """``cut`` is how many bytes less are sent than promised."""
        raw = body.encode() if isinstance(body, str) else body
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(raw)}\r\n\r\n"
        self.pages[path] = head.encode() + raw[: len(raw) - cut]

    def query(self, kind: str, result: Any) -> None:
        """What a Prometheus server answers to every query."""
        data = {"status": "success", "data": {"resultType": kind, "result": result}}
        self.put("/api/v1/query", json.dumps(data), kind="application/json")

    def error(self, status: int, kind: str, words: str) -> None:
        told = {"status": "error", "errorType": kind, "error": words}
        self.put("/api/v1/query", json.dumps(told), status, "application/json")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.seen.append(head)
                said = self.pages.get(head.split()[1].partition("?")[0])
                if said is None:
                    await asyncio.Event().wait()  # it hangs
                assert said is not None
                writer.write(said)
                await writer.drain()
                if b"content-length" not in said:
                    break
                length = int(said.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                if len(said.partition(b"\r\n\r\n")[2]) < length:
                    break


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Pages]:
    pages = Pages()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await pages.answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    pages.port = server.sockets[0].getsockname()[1]
    try:
        yield pages
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
