"""The document-question service of the demo: ``python -m poorwill.demo.service --port N --data DIR``.

Upload texts, ask, and the sentence that fits best is the answer. What is uploaded outlives the process.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from poorwill.demo.index import FolderUnusable
from poorwill.demo.sample import seed
from poorwill.demo.web import Demo

log = logging.getLogger("poorwill.demo")

_GRACE_S = 10  # for answers under way when the process is told to stop


class _Server(uvicorn.Server):
    """Tells the open heartbeat streams to end, which would otherwise hold up the stop for ever."""

    def __init__(self, config: uvicorn.Config, demo: Demo) -> None:
        super().__init__(config)
        self._demo = demo

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._demo.closing.set()
        super().handle_exit(sig, frame)


async def serve(port: int, data: Path, *, startup_s: float, host: str = "127.0.0.1") -> None:
    """Serves until SIGTERM or SIGINT. Raises FolderUnusable, and OSError if the port is taken."""
    demo = Demo(data, startup_s=startup_s)
    listening = socket.create_server((host, port), backlog=512)
    # Accepted connections inherit it. asyncio sets it only on sockets it made itself, and without it
    # every answer waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        demo.app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, demo)

    def give_up(loaded: asyncio.Task[None]) -> None:
        if not loaded.cancelled() and loaded.exception():
            server.should_exit = True

    loading = asyncio.create_task(demo.load())
    loading.add_done_callback(give_up)
    try:
        await server.serve([listening])
    finally:
        loading.cancel()
        demo.close()
        log.info("stopped")
    await loading


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m poorwill.demo.service")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="where documents and the index are kept")
    parser.add_argument("--startup", type=float, default=0.0, metavar="S", help="pretended loading")
    parser.add_argument("--seed", action="store_true", help="begin with the samples if empty")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    # Uvicorn raises the signal again after its graceful stop; this makes that a plain exit 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        if given.seed:
            seed(given.data)
        asyncio.run(serve(given.port, given.data, startup_s=given.startup))
    except FolderUnusable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: cannot start on port {given.port} with {given.data}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
