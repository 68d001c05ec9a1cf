"""Ready means it answers: the port being open is only the first sign of life.

The port is tried often, which is cheap; when it opens, the real question is asked, often again at
first. Both back off in proportion to the time already waited, so that a start of any length is noticed
within about one per cent of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx2
import structlog

from poorwill import clock

log = structlog.get_logger()

TIGHT = 0.02
"""Seconds between two tries at first."""

PORT_SLOWEST = 0.25
QUESTION_SLOWEST = 1.0
SHARE = 0.01
"""The pause between tries as a share of the time already waited."""

ANSWER_TIMEOUT = 10.0
WARMUP_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask. ``path`` None only connects. ``accepts`` judges the status code."""

    path: str | None
    accepts: Callable[[int], bool]
    headers: Mapping[str, str] = field(default_factory=dict)
    warmup: tuple[str, ...] = ()
    http2: bool = False


async def until_ready(probe: Probe, address: tuple[str, int], failed: Callable[[str], None]) -> None:
    """Return when the service at ``address`` answers as ``probe`` wants and the warm-up was asked.

    ``failed(why)`` is told after each try that did not succeed. Never gives up: whoever waits decides.
    """
    await _until_connected(address, failed)
    if probe.path is None:
        return
    host, port = address
    name = f"[{host}]" if ":" in host else host
    async with httpx2.AsyncClient(
        base_url=f"http://{name}:{port}",
        headers=dict(probe.headers),
        timeout=ANSWER_TIMEOUT,
        trust_env=False,
        verify=False,  # plain HTTP: loading the certificates would cost more than the question
        http2=probe.http2,
        http1=not probe.http2,
    ) as client:
        await _until_answered(probe, probe.path, client, failed)
        for path in probe.warmup:
            await _warm(client, path)


async def _until_connected(address: tuple[str, int], failed: Callable[[str], None]) -> None:
    begun = clock.now().mono
    while True:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                _, writer = await asyncio.open_connection(*address)
        except OSError as error:  # TimeoutError is one
            failed(f"{address[0]}:{address[1]} does not accept connections ({_words(error)})")
        else:
            writer.close()
            return
        await _pause(begun, PORT_SLOWEST)


async def _until_answered(
    probe: Probe, path: str, client: httpx2.AsyncClient, failed: Callable[[str], None]
) -> None:
    begun = clock.now().mono
    while True:
        try:
            async with client.stream("GET", path) as answer:
                if probe.accepts(answer.status_code):
                    return
                failed(f"GET {path} answered {answer.status_code}")
        except httpx2.HTTPError as error:
            failed(f"GET {path}: {_words(error)}")
        await _pause(begun, QUESTION_SLOWEST)


async def _warm(client: httpx2.AsyncClient, path: str) -> None:
    """A warm-up that fails delays nobody: the probe has already said that the service answers."""
    try:
        answer = await client.get(path, timeout=WARMUP_TIMEOUT)
    except httpx2.HTTPError as error:
        log.warning("a warm-up request failed", path=path, error=_words(error))
    else:
        if answer.status_code >= 400:
            log.warning("a warm-up request failed", path=path, status=answer.status_code)


async def _pause(begun: float, slowest: float) -> None:
    waited = clock.now().mono - begun
    await asyncio.sleep(min(slowest, max(TIGHT, waited * SHARE)))


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    return str(error) or type(error).__name__
