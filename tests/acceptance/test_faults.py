"""What the host runs out of: said clearly, degraded as little as possible, over without a restart.

The state folder is a small disk of its own. Each test breaks something, and mends it in the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from tests.acceptance.running import PATIENCE, Up, host, service, until

from poorwill.gateway.again import FRESH

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.platform("linux"),
    pytest.mark.slow,
]

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a disk")


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose ``state`` is a disk of 12 MiB."""
    folder = tmp_path_factory.mktemp("faults")
    state = folder / "state"
    state.mkdir()
    mount("-t", "tmpfs", "-o", "size=12m,mode=700", "poorwill-test", str(state))
    yield folder
    subprocess.run(["umount", "--lazy", str(state)], check=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(disk: Path) -> AsyncIterator[Up]:
    services = {
        "awake": service(disk, "awake", idle_after="10m"),
        "leaving": service(disk, "leaving", idle_after="10m"),
        "coming": service(disk, "coming", idle_after="10m", hold="90s"),
        "scarce": service(disk, "scarce", idle_after="10m"),
        "broken": service(disk, "broken", idle_after="10m"),
    }
    made = Up(disk, services)
    await made.start()
    client = made.client()
    for name in ("awake", "leaving"):
        assert (await client.get("/hello", headers=host(name))).status_code == 200
    try:
        yield made
        await made.finish()
    finally:
        await made.wipe()


@contextlib.contextmanager
def filled(state: Path) -> Iterator[None]:
    """No room is left on this disk."""
    filler = state / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


async def settled(gateway: Up) -> None:
    """Envoy's files are left alone now: else their reserve is given up, and the journal finds room in it."""
    routes = gateway.state / "envoy" / "rds.json"
    await until(lambda: time.time() - routes.stat().st_mtime > FRESH + 1, "no gate is about to move")


async def served(gateway: Up, name: str = "awake") -> None:
    assert (await gateway.client().get("/while", headers=host(name))).status_code == 200


async def reason_has(gateway: Up, name: str, words: str) -> str:
    async def told() -> str:
        reason: str = (await gateway.status(name))["reason"]
        return reason if words in reason else ""

    found: str = await until(told, f"{name} tells of {words}", every=0.05)
    return found


@ROOT
async def test_a_full_disk(gateway: Up) -> None:
    """No start without its intent on the disk; stops go on; nothing is lost and nothing restarted."""
    pid = gateway.pid
    await settled(gateway)
    with filled(gateway.state):
        asking = asyncio.create_task(gateway.client().get("/first", headers=host("coming")))
        reason = await reason_has(gateway, "coming", "nothing is started meanwhile")
        assert "full" in reason
        assert (await gateway.get("/healthz"))["status"] == "degraded"
        await served(gateway)
        await gateway.post("/api/v1/services/leaving/sleep")
        await gateway.until_phase("leaving", "asleep")
        assert not gateway.children("leaving"), "a full disk costs no money"
        busy = psutil.Process(gateway.pid).cpu_percent(1.0)
        assert busy < 50, "it does not try again in a loop"
        assert gateway.starts("coming") == 0
        assert not asking.done(), "who asked is held"
    assert (await asyncio.wait_for(asking, PATIENCE)).status_code == 200
    assert gateway.starts("coming") == 1
    assert (await gateway.get("/healthz"))["status"] == "ok"
    assert gateway.pid == pid
    await until(lambda: gateway.events("leaving", "stopped"), "the stop is written down")
    assert [event["kind"] for event in gateway.events("leaving", "sleep", "stop", "stopped")] == [
        "sleep",
        "stop",
        "stopped",
    ]
    assert [event["kind"] for event in gateway.events("coming", "start", "started", "ready", "failed")] == [
        "start",
        "started",
        "ready",
    ]
    assert any("could not be written" in event["reason"] for event in gateway.events("", "noted"))


@ROOT
async def test_a_restart_while_the_disk_is_full(gateway: Up) -> None:
    """It takes charge again of what is awake, and may put it to sleep."""
    await served(gateway, "coming")
    before = [gateway.starts(name) for name in ("awake", "coming")]
    with filled(gateway.state):
        gateway.kill9()
        await served(gateway)
        await gateway.start()
        await gateway.until_phase("awake", "awake")
        await gateway.post("/api/v1/services/coming/sleep")
        await gateway.until_phase("coming", "asleep")
    assert [gateway.starts(name) for name in ("awake", "coming")] == before
    await gateway.post("/api/v1/services/coming/auto")


@ROOT
async def test_no_open_files_left(gateway: Up) -> None:
    process = psutil.Process(gateway.pid)
    limits = process.rlimit(resource.RLIMIT_NOFILE)
    process.rlimit(resource.RLIMIT_NOFILE, (process.num_fds() - 1, limits[1]))
    try:
        asking = asyncio.create_task(gateway.client().get("/first", headers=host("scarce")))
        await served(gateway)
        await until(lambda: "open files" in gateway.log.read_text(), "the log tells", every=0.1)
        busy = process.cpu_percent(1.0)
        assert busy < 60, "it does not try again in a loop"
        await served(gateway)
        assert gateway.starts("scarce") == 0
    finally:
        process.rlimit(resource.RLIMIT_NOFILE, limits)
    assert (await asyncio.wait_for(asking, PATIENCE)).status_code == 200
    assert gateway.starts("scarce") == 1
    assert process.is_running()


@ROOT
async def test_envoy_ends_while_the_disk_is_full(gateway: Up) -> None:
    with filled(gateway.state):
        os.kill(gateway.envoy_pid(), signal.SIGKILL)

        async def again() -> bool:
            with contextlib.suppress(Exception):
                return (await gateway.client().get("/again", headers=host("awake"))).status_code == 200
            return False

        await until(again, "envoy serves again")
    await served(gateway, "coming")  # it can be woken as ever


@contextlib.contextmanager
def failing_disk(folder: Path) -> Iterator[Path]:
    """A disk at ``folder/state``; write to the file that is given, and it turns read-only by itself."""
    image, state = folder / "image", folder / "state"
    with image.open("wb") as file:
        file.truncate(24 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    state.mkdir()
    mount("-o", "loop,errors=remount-ro", str(image), str(state))
    source = subprocess.run(
        ["findmnt", "-no", "SOURCE", str(state)], check=True, capture_output=True, text=True
    ).stdout.strip()
    (state / "lost+found").rmdir()
    try:
        yield Path("/sys/fs/ext4") / Path(source).name / "trigger_fs_error"
    finally:
        subprocess.run(["umount", str(state)], check=True)


LOOPS = pytest.mark.skipif(
    not (shutil.which("mkfs.ext4") and Path("/dev/loop-control").exists() and Path("/sys/fs/ext4").exists()),
    reason="a disk that fails is made of a file",
)


@ROOT
@LOOPS
async def test_a_disk_that_turns_read_only(tmp_path: Path) -> None:
    """What is awake is served on, nothing is begun, and a second ``down`` ends it all."""
    with failing_disk(tmp_path) as trigger:
        made = Up(tmp_path, {name: service(tmp_path, name, idle_after="10m") for name in ("up", "new")})
        try:
            await made.start()
            client = made.client()
            assert (await client.get("/hello", headers=host("up"))).status_code == 200
            await made.until_phase("up", "awake")
            trigger.write_text("1")
            asking = asyncio.create_task(client.get("/first", headers=host("new")))
            await reason_has(made, "new", "nothing is started meanwhile")
            await served(made, "up")
            assert (await made.get("/healthz"))["status"] == "degraded"
            await made.post("/api/v1/services/up/sleep")
            await until(lambda: "the disk is read-only" in made.log.read_text(), "what to do is said")
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            process = made.process
            assert process is not None
            process.send_signal(signal.SIGINT)
            await reason_has(made, "up", "because poorwill goes down")
            process.send_signal(signal.SIGINT)
            await until(lambda: process.poll() is not None, "it is down")
            assert process.returncode == 0, made.log.read_text()
            made.process = None
            assert made.left() == []
            assert made.starts("new") == 0
        finally:
            await made.wipe()
