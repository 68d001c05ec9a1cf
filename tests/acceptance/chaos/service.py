"""A service in the chaos: it answers what the visitors of this suite ask, and keeps a diary of its own.

    python service.py PORT --name NAME --instance NAME-1 --diary FILE [--startup S] [--linger S]
                      [--broken-while FILE] [--deaf-while FILE]

Each line of the diary is JSON with the host's monotonic time, so that no clock that is set and no word of
Poorwill is needed to know when it lived, and which requests it got, read to their end, and answered.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.acceptance import upstream


class Service:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.diary = os.open(options.diary, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, what: str, request: str = "") -> None:
        own = {"service": self.options.name, "instance": self.options.instance, "pid": os.getpid()}
        line = {**own, "at": time.monotonic(), "what": what, "id": request}
        os.write(self.diary, (json.dumps(line) + "\n").encode())

    def begin(self) -> None:
        """From the first moment on it says how it ends; two that live at once give themselves away."""
        signal.signal(signal.SIGTERM, self.terminated)
        signal.signal(signal.SIGALRM, self.ended)
        self.note("start")
        lock = f"{self.options.diary}.{self.options.instance}.lock"
        mine = os.open(lock, os.O_WRONLY | os.O_CREAT)  # held to the end
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.note("two at once")
        if self.options.broken_while and Path(self.options.broken_while).exists():
            print("the disk is not there", flush=True)
            self.note("end")
            os._exit(7)

    def terminated(self, _number: int, _frame: object) -> None:
        self.note("term")
        if self.options.linger:
            signal.setitimer(signal.ITIMER_REAL, self.options.linger)
        else:
            self.ended(0, None)

    def ended(self, _number: int, _frame: object) -> None:
        self.note("end")
        os._exit(0)

    async def serve(self) -> None:
        await asyncio.sleep(self.options.startup)
        while self.options.deaf_while and Path(self.options.deaf_while).exists():
            await asyncio.sleep(0.1)
        server = await asyncio.start_server(
            self.connected, "127.0.0.1", self.options.port, limit=1024 * 1024, backlog=1024
        )
        self.note("listen")
        async with server:
            await server.serve_forever()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.request(reader, writer):
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await upstream.head_of(reader)
        if head is None:
            return False
        method, target, headers = head
        name = headers.get("x-id", "")
        if not name:  # the probe
            upstream.answer(writer, 200, {"ready": True})
            return True
        self.note("got", name)
        try:
            again = await self.answer(method, target, headers, reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.note("broken", name)
            raise
        self.note("done", name)
        return again

    async def answer(
        self,
        method: str,
        target: str,
        headers: upstream.Headers,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        name, url = headers["x-id"], urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if headers.get("upgrade", "").lower() == "websocket":
            self.note("whole", name)
            await upstream.websocket(headers, reader, writer)
            return False
        length, digest, blocks = 0, hashlib.sha256(), []
        async for block in upstream.body(headers, reader, writer):
            length += len(block)
            digest.update(block)
            if url.path == "/echo":
                blocks.append(block)
        self.note("whole", name)
        if url.path == "/sse":
            await upstream.stream(writer, int(query["count"]), float(query["every"]), "data")
            return True
        await asyncio.sleep(float(query.get("seconds", "0")))
        echo = b"".join(blocks).decode("latin-1")
        mine = {"service": self.options.name, "id": name, "method": method, "pid": os.getpid()}
        upstream.answer(writer, 200, {**mine, "length": length, "sha256": digest.hexdigest(), "echo": echo})
        return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--name", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--diary", required=True)
    parser.add_argument("--startup", type=float, default=0.0, help="seconds before it listens")
    parser.add_argument("--linger", type=float, default=0.0, help="seconds from SIGTERM to its end")
    parser.add_argument("--broken-while", default="", help="exit with 7 at once while this file exists")
    parser.add_argument("--deaf-while", default="", help="listen only when this file is gone")
    service = Service(parser.parse_args())
    service.begin()
    asyncio.run(service.serve())


if __name__ == "__main__":
    main()
