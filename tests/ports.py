"""Ports and networks for the tests: of those that run at the same time on a machine, no two get the same."""

from __future__ import annotations

import fcntl
import functools
import os
import secrets
import socket
import tempfile
from pathlib import Path

_PORTS = range(15000, 20000)
"""Outside of the ranges that outgoing connections take, and that Poorwill takes for services."""

_NETWORKS = range(20, 220)

_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nothing has right now, and that nobody else's tests will be given meanwhile."""
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        if port not in _given and _claimed(port) and _free(port):
            _given.add(port)
            return port
    raise AssertionError("no free port")


def free_network() -> int:
    """The second number of addresses that begin with 10, which nobody else's tests are given meanwhile."""
    for _ in range(1000):
        number = secrets.choice(_NETWORKS)
        if number not in _given and _claimed(number):
            _given.add(number)
            return number
    raise AssertionError("no free network")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _claimed(number: int) -> bool:
    """A byte of a file stands for each of them. What is locked there is free again when this process ends."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except OSError:
        return False
    return True


@functools.cache
def _claims() -> int:
    file = Path(tempfile.gettempdir()) / f"poorwill-test-ports-{os.getuid()}"
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
