"""Ready means it answers: the port being open is only the first sign of life.

The port is tried often, which is cheap; when it opens, the real question is asked, often again at
first. Both back off in proportion to the time already waited, so that a start of any length is noticed
within about one per cent of it.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx2
import structlog

from poorwill import clock
from poorwill.core.target import Target, Tls

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
    tls: Tls | None = None


async def until_ready(probe: Probe, target: Target, failed: Callable[[str], None]) -> None:
    """Return when the service at ``target`` answers as ``probe`` wants and the warm-up was asked.

    ``failed(why)`` is told after each try that did not succeed. Never gives up: whoever waits decides.
    """
    context = await asyncio.to_thread(_context, probe.tls) if probe.tls else None
    await _until_connected(target, None, failed)
    if probe.path is None:
        if context is not None:
            await _until_connected(target, context, failed)
        return
    async with _client(target, context, probe.headers, http2=probe.http2) as client:
        await _until_answered(probe, probe.path, client, failed)
        for path in probe.warmup:
            await _warm(client, path)


async def client(
    target: Target, tls: Tls | None, headers: Mapping[str, str], *, http2: bool
) -> httpx2.AsyncClient:
    """Speaks to the service as visitors' requests do. To be closed."""
    context = await asyncio.to_thread(_context, tls) if tls else None
    return _client(target, context, headers, http2=http2)


def _client(
    target: Target, context: ssl.SSLContext | None, headers: Mapping[str, str], *, http2: bool
) -> httpx2.AsyncClient:
    host = f"[{target.ip}]" if ":" in target.ip else target.ip
    named = {"host": target.name} if target.name else {}
    return httpx2.AsyncClient(
        base_url=f"{'https' if context else 'http'}://{host}:{target.port}",
        headers=httpx2.Headers(named) | httpx2.Headers(dict(headers)),
        timeout=ANSWER_TIMEOUT,
        trust_env=False,
        verify=context or False,  # plain HTTP: loading the certificates would cost more than the question
        http2=http2,
        http1=not http2,
        event_hooks={"request": [_naming(target)]} if context else None,
    )


def _context(tls: Tls) -> ssl.SSLContext:
    """What Envoy checks is checked here too."""
    context = ssl.create_default_context(cafile=tls.ca or None)
    if not tls.ca:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _naming(target: Target) -> Callable[[httpx2.Request], Awaitable[None]]:
    """The name in the handshake, where the address is only a number."""

    async def name(request: httpx2.Request) -> None:
        if target.name:
            request.extensions = {**request.extensions, "sni_hostname": target.name}

    return name


async def _until_connected(
    target: Target, context: ssl.SSLContext | None, failed: Callable[[str], None]
) -> None:
    begun = clock.now().mono
    name = (target.name or target.ip) if context else None
    while True:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                _, writer = await asyncio.open_connection(
                    target.ip, target.port, ssl=context, server_hostname=name
                )
        except ssl.SSLError as error:
            failed(f"{target.ip}:{target.port}: {in_words(error)}")
        except OSError as error:  # TimeoutError is one
            failed(f"{target.ip}:{target.port} does not accept connections ({in_words(error)})")
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
            failed(f"GET {path}: {in_words(error)}")
        await _pause(begun, QUESTION_SLOWEST)


async def _warm(client: httpx2.AsyncClient, path: str) -> None:
    """A warm-up that fails delays nobody: the probe has already said that the service answers."""
    try:
        answer = await client.get(path, timeout=WARMUP_TIMEOUT)
    except httpx2.HTTPError as error:
        log.warning("a warm-up request failed", path=path, error=in_words(error))
    else:
        if answer.status_code >= 400:
            log.warning("a warm-up request failed", path=path, status=answer.status_code)


async def _pause(begun: float, slowest: float) -> None:
    waited = clock.now().mono - begun
    await asyncio.sleep(min(slowest, max(TIGHT, waited * SHARE)))


def in_words(error: BaseException) -> str:
    refused = _by_tls(error)
    if refused:
        return refused
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    return str(error) or type(error).__name__


def _by_tls(error: BaseException | None) -> str:
    """What TLS did not like, where that is what happened."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if error is None or not error.reason:
        return ""
    if error.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return "it does not speak TLS there: is the address https by mistake?"
    return f"TLS failed: {error.reason}"
