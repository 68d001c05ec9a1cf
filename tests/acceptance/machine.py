"""What the tests need of the machine they run on: free ports, and the processes that somebody left."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import psutil


def free_port() -> int:
    """A loopback port that nothing has right now, outside of the range outgoing connections take."""
    for _ in range(1000):
        port = 15000 + secrets.randbelow(5000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
    raise AssertionError("no free port")


_given: set[int] = set()


def processes(matches: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and matches(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
