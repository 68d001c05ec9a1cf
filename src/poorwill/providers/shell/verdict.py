"""From what a status script answers, or an open port, to a condition."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from poorwill.core.model import Condition
from poorwill.errors import Temporary
from poorwill.providers.base import Ran
from poorwill.providers.shell.words import explained, last_line

_CODES = {0: "running", 1: "stopped", 3: "stopped"}
"""The Linux Standard Base's codes for ``status``; 1 as well, which most scripts use."""

_CONDITIONS = {
    "running": Condition.RUNNING,
    "starting": Condition.STARTING,
    "stopping": Condition.STOPPING,
    "stopped": Condition.ABSENT,
}

CONNECT_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    condition: Condition
    detail: str


def of_status(ran: Ran, timeout: float, codes: Mapping[int, str]) -> Verdict:
    """``Temporary`` when the script does not know. With exit code 0 its last line may be one of the words."""
    if ran.code is None:
        raise Temporary(
            f"the status script did not end within {timeout:g} s{last_line(ran.output)}",
            hint="a status script must answer quickly; see what it waits for",
        )
    word = codes.get(ran.code) or _CODES.get(ran.code, "unknown")
    said = ran.output.strip().splitlines()[-1:]
    if ran.code == 0 and said and said[0].strip().lower() in {*_CONDITIONS, "unknown"}:
        word = said[0].strip().lower()
    if word == "unknown":
        raise Temporary(
            f"the status script does not know: {explained(ran.code)}{last_line(ran.output)}",
            hint="exit code 0 means running, 1 or 3 stopped; say what others mean with status_codes",
        )
    return Verdict(_CONDITIONS[word], f"status says {word} ({explained(ran.code)})")


async def of_port(address: tuple[str, int]) -> Verdict:
    """An open port means running, a refused connection absent. ``Temporary`` for anything else."""
    host, port = address
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port)
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it is being closed this very moment
        return Verdict(Condition.ABSENT, f"nothing listens on {host}:{port}")
    except OSError as error:  # TimeoutError is one
        words = str(error) or f"no answer within {CONNECT_TIMEOUT:g} s"
        raise Temporary(
            f"{host}:{port} neither accepts nor refuses a connection: {words}",
            hint="see that the address is right, and that no firewall drops what is sent there",
        ) from error
    writer.close()
    return Verdict(Condition.RUNNING, f"{host}:{port} accepts connections")
