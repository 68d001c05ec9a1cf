"""A small service for Poorwill to start and stop: it does what its paths say, and writes down what it saw.

Standard library only (gRPC aside), so that it starts in a moment. Every start and every request is a line
of the file ``--journal``: the proof of how often it was started, and of what reached it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import fcntl
import hashlib
import json
import os
import signal
import ssl
import struct
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Headers = dict[str, str]

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Upstream:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.refusals = options.refuse
        self.races = options.race
        self.working = 0

    def note(self, line: str) -> None:
        if self.options.journal:
            with Path(self.options.journal).open("a") as journal:
                journal.write(line + "\n")

    async def serve(self) -> None:
        if self.options.linger:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, lambda: loop.call_later(self.options.linger, os._exit, 0))
        await asyncio.sleep(self.options.startup)
        while self.options.opens_when and not Path(self.options.opens_when).exists():
            await asyncio.sleep(0.02)
        server = await asyncio.start_server(
            self.connected, "127.0.0.1", self.options.port, limit=1024 * 1024, backlog=1024, ssl=self.tls()
        )
        async with server:
            await server.serve_forever()

    def tls(self) -> ssl.SSLContext | None:
        if not self.options.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.options.certificate)
        return context

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.request(reader, writer):
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # whoever asked has gone
        finally:
            writer.close()

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; false ends the connection."""
        head = await head_of(reader)
        if head is None:
            return False
        method, target, headers = head
        self.note(f"{method} {target}")
        url = urlsplit(target)
        if not self.options.slots or url.path in ("/ready", "/free"):
            return await self.work(method, target, headers, reader, writer)
        self.working += 1
        if self.working > self.options.slots:
            self.note(f"TRAMPLED {self.working} at once")
        try:
            return await self.work(method, target, headers, reader, writer)
        finally:
            self.working -= 1

    async def work(
        self,
        method: str,
        target: str,
        headers: Headers,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if headers.get("upgrade", "").lower() == "websocket":
            await websocket(headers, reader, writer)
            return False
        length, digest = 0, hashlib.sha256()
        async for block in body(headers, reader, writer):
            length += len(block)
            digest.update(block)
        path = url.path
        if path.endswith("/sse"):
            await stream(writer, int(query.get("count", "1000000")), float(query.get("every", "1")), "data")
        elif path.endswith("/keepalive"):
            await stream(writer, 1_000_000, float(query.get("every", "0.5")), "comment")
        elif path.endswith("/crash"):
            os._exit(int(query.get("code", "3")))
        elif "/status/" in path:
            answer(writer, int(path.rpartition("/")[2]), {"status": path})
        elif path == "/ready" and self.refusals > 0:
            self.refusals -= 1
            answer(writer, 500, {"error": "not yet"})
        elif path != "/ready" and self.races > 0:
            self.races -= 1
            answer(writer, 500, {"error": "dictionary changed size during iteration"})
        else:
            await asyncio.sleep(float(query.get("seconds", "0")))
            echo = {"method": method, "target": target, "headers": headers, "pid": os.getpid()}
            answer(writer, 200, {**echo, "length": length, "sha256": digest.hexdigest()})
        return True


async def head_of(reader: asyncio.StreamReader) -> tuple[str, str, Headers] | None:
    """Method, target and headers of the next request; None when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    fields = (line.partition(":") for line in lines)
    return method, target, {name.lower(): value.strip() for name, _, value in fields}


async def body(
    headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[bytes]:
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
        return
    left = int(headers.get("content-length", "0"))
    while left:
        block = await reader.read(min(left, 256 * 1024))
        if not block:
            raise ConnectionError("the body ended early")
        left -= len(block)
        yield block


def answer(writer: asyncio.StreamWriter, status: int, content: Any) -> None:
    text = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {len(text)}"
    writer.write(f"{head}\r\n\r\n".encode() + text)


async def stream(writer: asyncio.StreamWriter, count: int, every: float, what: str) -> None:
    """Server-sent events: ``data`` with the number and the time, 200 bytes each, or keep-alive comments."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for number in range(count):
        if what == "data":
            event = f"data: {json.dumps({'number': number, 'at': time.time()})}".ljust(200) + "\n\n"
        else:
            event = ":\n\n"
        writer.write(f"{len(event):x}\r\n{event}\r\n".encode())
        await writer.drain()
        if number + 1 < count:
            await asyncio.sleep(every)
    writer.write(b"0\r\n\r\n")


async def websocket(headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo text frames; a ping is answered with a pong."""
    digest = hashlib.sha1((headers["sec-websocket-key"] + _MAGIC).encode(), usedforsecurity=False).digest()
    accept = base64.b64encode(digest).decode()
    head = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}"
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n\r\n".encode())
    while True:
        first, second = await reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await reader.readexactly(8))
        mask = await reader.readexactly(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(await reader.readexactly(length)))
        code = first & 0x0F
        reply = {0x9: 0xA}.get(code, code)
        size = bytes([length]) if length < 126 else struct.pack("!BH", 126, length)
        writer.write(bytes([0x80 | reply]) + size + data)
        await writer.drain()
        if code == 0x8:
            return


async def grpc_echo(upstream: Upstream, port: int) -> None:
    """``/echo.Echo/Say`` returns what it gets, ``/echo.Echo/Talk`` does it for two streams."""
    import grpc.aio

    async def say(request: bytes, _context: Any) -> bytes:
        upstream.note("grpc Say")
        return request

    async def talk(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        upstream.note("grpc Talk")
        async for request in requests:
            yield request

    methods = {
        "Say": grpc.unary_unary_rpc_method_handler(say),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", methods),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--journal", default="")
    parser.add_argument("--startup", type=float, default=0.0, help="seconds before it listens")
    parser.add_argument("--opens-when", default="", help="listen only once this file exists")
    parser.add_argument("--refuse", type=int, default=0, help="how many /ready are answered 500 at first")
    parser.add_argument("--race", type=int, default=0, help="how many visitors get 500 after it is ready")
    parser.add_argument("--exit", type=int, default=None, help="print a line and exit with this code at once")
    parser.add_argument("--broken-while", default="", help="exit with 7 at once while this file exists")
    parser.add_argument("--linger", type=float, default=0.0, help="seconds from SIGTERM to its end")
    parser.add_argument("--slots", type=int, default=0, help="write down when more come at a time")
    parser.add_argument("--grpc", action="store_true")
    parser.add_argument("--certificate", default="", help="file with a certificate and key: speak TLS")
    options = parser.parse_args()
    upstream = Upstream(options)
    upstream.note(f"start {os.getpid()} {time.time()}")
    if options.journal:
        mine = os.open(options.journal + ".lock", os.O_WRONLY | os.O_CREAT)  # held to the end of this process
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            upstream.note("TWO AT ONCE")
    if options.exit is not None:
        print("cannot find my model file", flush=True)
        sys.exit(options.exit)
    if options.broken_while and Path(options.broken_while).exists():
        print("the disk is not there", flush=True)
        sys.exit(7)
    asyncio.run(grpc_echo(upstream, options.port) if options.grpc else upstream.serve())


if __name__ == "__main__":
    main()
