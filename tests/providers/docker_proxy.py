"""A door in front of a real engine's socket that can be shut, and that can keep or refuse single orders."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

_ORDER = re.compile(rb"^POST /v[\d.]+/containers/[^/ ]+/(\w+)")
_REFUSAL = (
    b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n"
    b'{"message": "it does not want"}'
)


class EngineProxy:
    """``refused`` and ``hanging`` are orders such as stop; ``start_takes`` delays every start by seconds."""

    def __init__(self, socket: Path, engine: Path) -> None:
        self.socket = socket
        self.refused: frozenset[str] = frozenset()
        self.hanging: frozenset[str] = frozenset()
        self.start_takes = 0.0
        self._engine = engine
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    async def open(self) -> None:
        if self._server is None:
            self.socket.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self.socket)

    async def shut(self) -> None:
        """Nobody gets through any more, and who is talking is cut off."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self.socket.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        there, to_engine = await asyncio.open_unix_connection(self._engine)
        answers = asyncio.create_task(_copy(there, writer))
        try:
            while data := await reader.read(65536):
                order = _ORDER.match(data)
                if order and not await self._lets_through(order[1].decode(), reader, writer):
                    continue
                to_engine.write(data)
                await to_engine.drain()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            answers.cancel()
            writer.close()
            to_engine.close()
            self._open.discard(task)

    async def _lets_through(
        self, order: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if order in self.refused:
            writer.write(_REFUSAL)
            return False
        if order in self.hanging:
            await _until(reader.at_eof)
            return False
        if order == "start" and self.start_takes:
            await asyncio.sleep(self.start_takes)
            return not reader.at_eof()  # who asked has given up
        return True


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
