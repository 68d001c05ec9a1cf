"""Is it at work? What a busy probe asks: the service itself, a command, the processor, the GPU."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from poorwill import clock
from poorwill.config.busy import Busy, BusyQuestion
from poorwill.config.jsonpath import parse_path
from poorwill.control.gpu import gpu_use
from poorwill.control.probe import client, in_words
from poorwill.core.target import Target, Tls
from poorwill.core.work import Says
from poorwill.errors import ProviderError, Temporary
from poorwill.providers.base import Provider, Shell

MEASURED = 2.0
"""Seconds over which the use of the processor and of the GPU is measured."""

LARGEST = 1024 * 1024
"""Bytes of an answer that are looked at."""

SHOWN = 40
"""Characters of a value that are told."""

Finding = tuple[Says, str]
"""What one question found, and the words for it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asked. ``targets`` finds out where it answers; ``on_machine``: it is not on this host."""

    instance: str
    provider: Provider
    targets: Callable[[], Awaitable[tuple[Target, ...]]]
    on_machine: bool


@dataclass(frozen=True, slots=True)
class BusyProbe:
    """``shell`` is where the service runs and ``folder`` where its commands do, empty for the home folder."""

    asks: Busy
    shell: Shell
    folder: str = ""
    tls: Tls | None = None
    http2: bool = False

    async def ask(self, subject: Subject) -> Finding:
        """All questions at once; one that finds work is enough. Never raises but when it is cancelled."""
        asks, questions = self.asks, []
        if asks.http is not None:
            questions.append(self._within("http", self._http(asks.http, subject)))
        if asks.command is not None:
            questions.append(self._within("command", self._command(asks.command), grace=30.0))
        if asks.cpu is not None:
            questions.append(self._within("cpu", self._cpu(asks.cpu, subject), grace=MEASURED))
        if asks.gpu is not None:
            questions.append(self._within("gpu", self._gpu(asks.gpu, subject), grace=MEASURED))
        found = await asyncio.gather(*questions)
        for kind in (Says.BUSY, Says.UNKNOWN):
            words = [said for says, said in found if says is kind]
            if words:
                return kind, f"busy probe{' fails' if kind is Says.UNKNOWN else ''}: {', '.join(words)}"
        return Says.FREE, ", ".join(said for _, said in found)

    async def _within(self, kind: str, question: Awaitable[Finding], *, grace: float = 0.0) -> Finding:
        """What goes wrong is an answer too: nobody knows."""
        try:
            async with asyncio.timeout(self.asks.timeout + grace):
                return await question
        except TimeoutError:
            return Says.UNKNOWN, f"{kind} has not answered within {self.asks.timeout:g} s"
        except ProviderError as error:
            return Says.UNKNOWN, f"{kind}: {error}" + (f" ({error.hint})" if error.hint else "")
        except OSError as error:
            return Says.UNKNOWN, f"{kind}: {error.strerror or error}"

    # --- the service itself ------------------------------------------------------------------------

    async def _http(self, question: BusyQuestion, subject: Subject) -> Finding:
        targets = await subject.targets()
        if not targets:
            raise Temporary("nobody knows where the service answers")
        speaker = await client(targets[0], self.tls, question.headers, http2=self.http2)
        try:
            async with speaker, speaker.stream("GET", question.path) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > LARGEST:
                        raise Temporary(f"GET {question.path} answers with more than 1 MiB")
        except httpx2.HTTPError as error:
            raise Temporary(f"GET {question.path}: {in_words(error)}") from error
        return judged(question, answer.status_code, bytes(body))

    # --- a command ---------------------------------------------------------------------------------

    async def _command(self, line: str) -> Finding:
        ran = await self.shell.run(line, timeout=self.asks.timeout, cwd=self.folder)
        if ran.code is None:
            raise TimeoutError
        last = ran.output.strip().splitlines()[-1:]
        said = f" ({_short(last[0])})" if last else ""
        if ran.code == 0:
            return Says.BUSY, f"its command says so{said}"
        if ran.code == 1:
            return Says.FREE, f"its command says no{said}"
        return Says.UNKNOWN, f"its command ended with exit code {ran.code}, neither 0 (busy) nor 1{said}"

    # --- use ---------------------------------------------------------------------------------------

    async def _cpu(self, above: float, subject: Subject) -> Finding:
        read: Callable[[str], Awaitable[float]] | None = getattr(subject.provider, "cpu_seconds", None)
        if read is None:
            raise Temporary("its provider cannot tell how much CPU it uses")
        before, begun = await read(subject.instance), clock.now().mono
        await asyncio.sleep(MEASURED)
        after, ended = await read(subject.instance), clock.now().mono
        return _compared("CPU", max(0.0, after - before) / (ended - begun) * 100, above)

    async def _gpu(self, above: float, subject: Subject) -> Finding:
        own: Callable[[str], Awaitable[frozenset[int]]] | None = getattr(
            subject.provider, "process_ids", None
        )
        pids = await own(subject.instance) if own and not subject.on_machine else None
        use, whose = await gpu_use(self.shell, pids, MEASURED, self.asks.timeout)
        return _compared(whose, use, above)


def judged(question: BusyQuestion, status: int, body: bytes) -> Finding:
    """What an answer of the service means."""
    where = f"GET {question.path}"
    if question.busy_status is not None:
        if any(low <= status <= high for low, high in question.busy_status):
            return Says.BUSY, f"{where} answers {status}"
        known = 200 <= status < 400
        return (Says.FREE if known else Says.UNKNOWN), f"{where} answers {status}"
    if not 200 <= status < 300:
        return Says.UNKNOWN, f"{where} answers {status}"
    if question.text is not None:
        inside = question.text in body.decode(errors="replace")
        return (Says.BUSY, f"{where} says {question.text!r}") if inside else (Says.FREE, where)
    return _in_json(question, where, body)


def _in_json(question: BusyQuestion, where: str, body: bytes) -> Finding:
    assert question.json_path is not None
    try:
        found = parse_path(question.json_path).of(json.loads(body), {})
    except ValueError:
        return Says.UNKNOWN, f"{where} does not answer in JSON"
    words = f"{where} says {question.json_path} is {_short(json.dumps(found))}"
    if question.above is None:
        return (Says.BUSY if found else Says.FREE), words
    if isinstance(found, bool) or not isinstance(found, int | float):
        return Says.UNKNOWN, f"{words}, which is no number"
    return (Says.BUSY if found > question.above else Says.FREE), words


def _compared(what: str, use: float, above: float) -> Finding:
    sign, says = (">", Says.BUSY) if use > above else ("≤", Says.FREE)
    return says, f"{what} {use:.0f} % {sign} {above:g} %"


def _short(text: Any) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}…"
