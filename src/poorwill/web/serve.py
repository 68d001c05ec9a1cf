"""Serving an ASGI application on a socket, inside the program's own event loop and signals."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn

from poorwill.errors import GatewayError


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals belong to the program, not to one of its servers."""
        yield


async def serve(application: Any, listener: socket.socket) -> None:
    """Serve until cancelled; open streams are cut then."""
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    await _Quiet(config).serve(sockets=[listener])


def unix_listener(path: Path) -> socket.socket:
    """A listening unix socket that only this user can open; a stale one of an earlier life is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def tcp_listener(host: str, port: int) -> socket.socket:
    """Raises GatewayError when the address is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sets TCP_NODELAY; without it each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise GatewayError(
            f"cannot listen on {host}:{port} for the admin API: {error.strerror}",
            hint="another program has it (`ss -ltnp` shows which), or change `admin:`",
        ) from error
    listener.listen(128)
    listener.setblocking(False)
    return listener
