"""What a busy probe finds out: real answers over HTTP, real commands, a processor that really works."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE

from poorwill.config.busy import Busy, BusyQuestion
from poorwill.control import busy_probe
from poorwill.control.busy_probe import BusyProbe, Subject, judged
from poorwill.control.gpu import gpu_use, of_processes
from poorwill.core.model import Condition
from poorwill.core.target import Target
from poorwill.core.work import Says
from poorwill.errors import Temporary
from poorwill.providers.base import Ran, Surroundings
from poorwill.providers.process import ProcessProvider
from poorwill.providers.shell.local import LocalShell


def question(**keys: Any) -> BusyQuestion:
    return BusyQuestion.model_validate({"path": "/jobs", **keys})


JOBS = json.dumps({"running": 2, "queue": [], "jobs": {"a": "b"}, "name": "idle", "on": False}).encode()


@pytest.mark.parametrize(
    ("keys", "status", "body", "says", "words"),
    [
        ({}, 200, b"", Says.BUSY, "GET /jobs answers 200"),
        ({}, 304, b"", Says.FREE, "GET /jobs answers 304"),
        ({}, 404, b"", Says.UNKNOWN, "GET /jobs answers 404"),
        ({}, 500, b"", Says.UNKNOWN, "GET /jobs answers 500"),
        ({"status": 503}, 503, b"", Says.BUSY, "GET /jobs answers 503"),
        ({"status": 503}, 200, b"", Says.FREE, "GET /jobs answers 200"),
        ({"status": ["202", 409]}, 409, b"", Says.BUSY, "GET /jobs answers 409"),
        ({"text": "training"}, 200, b"it is training now", Says.BUSY, "GET /jobs says 'training'"),
        ({"text": "training"}, 200, b"idle", Says.FREE, "GET /jobs"),
        ({"text": "training"}, 500, b"training", Says.UNKNOWN, "GET /jobs answers 500"),
        ({"json": "$.running"}, 200, JOBS, Says.BUSY, "GET /jobs says $.running is 2"),
        ({"json": "$.queue"}, 200, JOBS, Says.FREE, "GET /jobs says $.queue is []"),
        ({"json": "$.jobs"}, 200, JOBS, Says.BUSY, 'GET /jobs says $.jobs is {"a": "b"}'),
        ({"json": "$.on"}, 200, JOBS, Says.FREE, "GET /jobs says $.on is false"),
        ({"json": "$.nothing.there"}, 200, JOBS, Says.FREE, "GET /jobs says $.nothing.there is null"),
        ({"json": "$.running", "above": 2}, 200, JOBS, Says.FREE, "GET /jobs says $.running is 2"),
        ({"json": "$.running", "above": 1.5}, 200, JOBS, Says.BUSY, "GET /jobs says $.running is 2"),
        (
            {"json": "$.name", "above": 1},
            200,
            JOBS,
            Says.UNKNOWN,
            'GET /jobs says $.name is "idle", which is no number',
        ),
        ({"json": "$.running"}, 200, b"<html>", Says.UNKNOWN, "GET /jobs does not answer in JSON"),
        ({"json": "$.running"}, 200, b"\xff\xfe", Says.UNKNOWN, "GET /jobs does not answer in JSON"),
    ],
)
def test_what_an_answer_means(
    keys: Mapping[str, Any], status: int, body: bytes, says: Says, words: str
) -> None:
    assert judged(question(**keys), status, body) == (says, words)


# --- really asked -----------------------------------------------------------------------------------


async def nowhere() -> tuple[Target, ...]:
    return ()


def subject(
    targets: Callable[[], Awaitable[tuple[Target, ...]]] = nowhere,
    provider: Any = None,
    machine: bool = False,
) -> Subject:
    return Subject("notes-1", provider, targets, machine)


async def ask(
    about: Subject | None = None, shell: Any = None, folder: str = "", **busy: Any
) -> tuple[Says, str]:
    asks = Busy.model_validate({"timeout": "2s", **busy})
    return await BusyProbe(asks, shell or LocalShell(), folder).ask(about or subject())


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[Subject]:
    """A service that sends these bytes, one piece after the other, and then says no more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in answers:
                writer.write(piece)
                await writer.drain()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def there() -> tuple[Target, ...]:
        return (Target("127.0.0.1", port),)

    yield subject(there)
    server.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


async def test_the_service_says_so() -> None:
    async with answering(HEAD + b'content-length: 13\r\n\r\n{"running":2}') as there:
        found = await ask(there, http={"path": "/jobs", "json": "$.running"})
    assert found == (Says.BUSY, "busy probe: GET /jobs says $.running is 2")


async def test_a_service_that_hangs_is_not_known() -> None:
    async with answering(HEAD + b"content-length: 13\r\n\r\n{") as there:
        begun = time.monotonic()
        says, words = await ask(there, http="/jobs", timeout="300ms")
    assert (says, words) == (Says.UNKNOWN, "busy probe fails: http has not answered within 0.3 s")
    assert time.monotonic() - begun < 15


async def test_an_endless_answer_is_cut() -> None:
    async with answering(HEAD + b"\r\n", *[bytes(256 * 1024)] * 8) as there:
        says, words = await ask(there, http={"path": "/jobs", "text": "x"})
    assert (says, words) == (Says.UNKNOWN, "busy probe fails: http: GET /jobs answers with more than 1 MiB")


async def test_nobody_there_is_not_known() -> None:
    async def closed() -> tuple[Target, ...]:
        return (Target("127.0.0.1", 1),)

    says, words = await ask(subject(closed), http="/jobs")
    assert says is Says.UNKNOWN
    assert words.startswith("busy probe fails: http: GET /jobs: ")
    assert (await ask(http="/jobs"))[0] is Says.UNKNOWN


@pytest.mark.parametrize(
    ("line", "says", "words"),
    [
        ("true", Says.BUSY, "busy probe: its command says so"),
        ("echo 3 jobs", Says.BUSY, "busy probe: its command says so (3 jobs)"),
        ("test -e lock && echo 'a; b'", Says.BUSY, "busy probe: its command says so (a; b)"),
        ("test -e no-lock", Says.FREE, "its command says no"),
        ("no-such-program", Says.UNKNOWN, "exit code 127, neither 0 (busy) nor 1"),
        ("exit 2", Says.UNKNOWN, "exit code 2, neither 0 (busy) nor 1"),
        ("sleep 60", Says.UNKNOWN, "busy probe fails: command has not answered within 0.4 s"),
        ("yes | head -c 300000; exit 1", Says.FREE, "its command says no (y)"),
    ],
)
async def test_a_command_says_so(tmp_path: Path, line: str, says: Says, words: str) -> None:
    (tmp_path / "lock").touch()
    limit = "400ms" if line.startswith("sleep") else "30s"
    found = await ask(folder=str(tmp_path), command=line, timeout=limit)
    assert found[0] is says
    assert words in found[1]


async def test_one_that_is_busy_is_enough_and_one_that_fails_is_no_no() -> None:
    assert await ask(http="/jobs", command="true") == (Says.BUSY, "busy probe: its command says so")
    says, words = await ask(http="/jobs", command="false")
    assert says is Says.UNKNOWN
    assert "nobody knows where the service answers" in words


SPIN = "import os,time\nif os.fork():\n    time.sleep(60)\nwhile True: pass\n"
"""The child works, the one that was started waits for it."""


@asynccontextmanager
async def running(folder: Path, code: str) -> AsyncIterator[Subject]:
    options = ProcessProvider.Options.model_validate(
        {"command": [sys.executable, "-c", code], "stop_timeout": "1s"}
    )
    around = Surroundings("busy-test", "notes", folder / "files", folder, lambda: None)
    provider = ProcessProvider(options, around)  # type: ignore[arg-type]
    await provider.start("notes-1", await provider.prepare("notes-1"))
    try:
        (seen,) = await provider.list()
        assert seen.condition is Condition.RUNNING
        yield subject(provider=provider)
    finally:
        await provider.stop("notes-1")
        await provider.close()


async def test_the_processor_is_used_by_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy_probe, "MEASURED", 0.5)
    async with running(tmp_path, SPIN) as at_work:
        says, words = await ask(at_work, cpu=3)
        assert says is Says.BUSY
        assert words.startswith("busy probe: CPU ")
        assert words.endswith(" % > 3 %")
        assert (await ask(at_work, cpu=300))[0] is Says.FREE


async def test_the_processor_is_not_used_by_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy_probe, "MEASURED", 0.3)
    async with running(tmp_path, "import time; sum(range(5_000_000)); time.sleep(60)") as idle:
        await until_still(idle)
        says, words = await ask(idle, cpu=20)
        assert says is Says.FREE
        assert words.endswith(" % ≤ 20 %")


async def until_still(about: Subject) -> None:
    """The interpreter has come up."""
    provider: Any = about.provider
    before, now = -1.0, 0.0
    async with asyncio.timeout(PATIENCE):
        while now == 0 or now - before > 0.015:  # the kernel counts hundredths
            await asyncio.sleep(0.3)
            before, now = now, await provider.cpu_seconds(about.instance)


async def test_a_place_that_measures_nothing_is_not_known() -> None:
    says, words = await ask(cpu=10)
    assert (says, words) == (
        Says.UNKNOWN,
        "busy probe fails: cpu: its provider cannot tell how much CPU it uses",
    )


# --- the GPU ----------------------------------------------------------------------------------------


PMON = """\
# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command
# Idx           #    C/G      %      %      %      %      %      %    name
    0       1001     C     30      5      -      -      -      -    python3
    0       1002     C     33      5      -      -      -      -    python3
    1       2001     C     99      5      -      -      -      -    other
    0       1001     C      -      -      -      -      -      -    python3
    0       1002     C     40      5      -      -      -      -    python3
    1       2001     C     99      5      -      -      -      -    other
"""


def test_only_the_services_own_use_of_a_card_counts() -> None:
    assert of_processes(PMON, frozenset({1001, 1002})) == 63
    assert of_processes(PMON, frozenset({1001})) == 30
    assert of_processes(PMON, frozenset({7})) is None
    assert of_processes("# gpu pid type sm\n    0          -     -      -\n", frozenset({7})) is None


class Card:
    """A shell on a machine with a GPU, as far as ``nvidia-smi`` tells."""

    def __init__(self, pmon: Ran, cards: Ran) -> None:
        self.pmon, self.cards = pmon, cards

    async def run(self, command: str, **_: Any) -> Ran:
        return self.pmon if "pmon" in command else self.cards


async def test_the_whole_card_where_its_users_are_not_told() -> None:
    shell: Any = Card(Ran(0, "# gpu pid type sm\n    0          -     -      -\n"), Ran(0, "3\n0\n63\n0\n"))
    assert await gpu_use(shell, frozenset({7}), 2.0, 5.0) == (63, "GPU (whole card)")
    assert await gpu_use(shell, None, 2.0, 5.0) == (63, "GPU (whole card)")
    found = await ask(shell=shell, gpu=10)
    assert found == (Says.BUSY, "busy probe: GPU (whole card) 63 % > 10 %")


@pytest.mark.parametrize(
    "cards", [Ran(127, "sh: nvidia-smi: not found"), Ran(9, "no devices"), Ran(0, "[N/A]")]
)
async def test_a_card_that_tells_nothing_is_not_known(cards: Ran) -> None:
    shell: Any = Card(Ran(127, ""), cards)
    with pytest.raises(Temporary, match="nvidia-smi"):
        await gpu_use(shell, None, 2.0, 5.0)
    assert (await ask(shell=shell, gpu=10))[0] is Says.UNKNOWN


async def test_the_card_of_this_host() -> None:
    """Where there is one it answers, and where there is none that is said."""
    says, words = await ask(gpu=99.9, timeout="20s")
    if shutil.which("nvidia-smi"):
        assert says is not Says.UNKNOWN, words
    else:
        assert words.startswith("busy probe fails: gpu: there is no nvidia-smi where the service runs")
