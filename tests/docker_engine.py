"""A real Docker Engine for the tests: a daemon of their own in a folder of its own, ended by its PID.

It shares nothing with an engine that this machine may have: socket, data, bridge and address ranges are its
own, and it leaves the firewall alone. Needs Linux, root and Debian's docker.io (``make tools``).
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.ports import free_network

IMAGE = "poorwill-test:1"
"""Built from scratch: busybox, and nothing else."""

TOOLS = Path(__file__).parent.parent / ".tools" / "docker"
"""Where scripts/install-compose puts the plugin when the system has none."""


class DockerEngine:
    """``start`` and ``stop`` may be called in turn; what it holds is kept in between."""

    def __init__(self, netns: str = "") -> None:
        """With ``netns`` it lives in that network namespace, without a bridge: containers use its network."""
        self.inside = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
        # Short: a unix socket's path may have 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="pwd-"))
        self.socket = self.folder / "docker.sock"
        self.bridge = f"pwd{secrets.token_hex(4)}"
        self.net = free_network()
        self.extra: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    # --- coming and going -------------------------------------------------------------------------

    def create(self) -> None:
        """The bridge, the first start, and the image."""
        if not self.inside:
            ip("link", "add", self.bridge, "type", "bridge")
            ip("addr", "add", f"10.{self.net}.0.1/24", "dev", self.bridge)
            ip("link", "set", self.bridge, "up")
        config = {"default-address-pools": [{"base": f"10.{self.net}.128.0/17", "size": 24}]}
        (self.folder / "daemon.json").write_text(json.dumps(config))
        self.config.mkdir()
        if not self._has_plugin():
            (self.config / "cli-plugins").symlink_to(TOOLS / "cli-plugins")
        self.start()
        self.run("import", *_SETTINGS, "-", IMAGE, stdin=_root_filesystem())

    def start(self) -> None:
        # A test run that is killed takes it along.
        words = ["setpriv", "--pdeathsig", "TERM", *self.inside, "dockerd"]
        words += ["--config-file", str(self.folder / "daemon.json"), "--log-level", "warn"]
        words += ["--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")]
        words += [
            "--host",
            self.url,
            "--pidfile",
            str(self.folder / "pid"),
            "--bridge",
            "none" if self.inside else self.bridge,
        ]
        words += ["--iptables=false", "--ip-forward=false", "--ip-masq=false", *self.extra]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while subprocess.run([*self.docker, "version"], capture_output=True, check=False).returncode != 0:
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                raise AssertionError(f"dockerd did not start:\n{(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """It ends its containers first."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            finally:
                self._process.kill()
                self._process.wait(10)
                self._process = None

    def destroy(self) -> None:
        try:
            if self._process is not None:
                self.remove(self.run("ps", "-aq").split())
        finally:
            self.stop()
            if not self.inside:
                subprocess.run(["ip", "link", "del", self.bridge], check=False)
            for left in self.folder.glob("exec/netns/*"):  # a mount that the daemon does not take down
                subprocess.run(["umount", str(left)], check=False, capture_output=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- using it ---------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def config(self) -> Path:
        """The docker command's own folder."""
        return self.folder / "config"

    @property
    def docker(self) -> list[str]:
        return ["docker", "--config", str(self.config), "--host", self.url]

    @property
    def environment(self) -> dict[str, str]:
        """For a program that is to find this engine as the docker command does."""
        return {"DOCKER_HOST": self.url, "DOCKER_CONFIG": str(self.config)}

    def run(self, *words: str, stdin: bytes | None = None) -> str:
        """A docker command; what it prints."""
        done = subprocess.run([*self.docker, *words], input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.decode()}"
        return done.stdout.decode().strip()

    def remove(self, containers: list[str]) -> None:
        if containers:
            self.run("rm", "--force", "--volumes", *containers)

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("inspect", container))[0]
        return found

    def status(self, container: str) -> str:
        return str(self.inspect(container)["State"]["Status"])

    def _has_plugin(self) -> bool:
        clean = {**os.environ, "DOCKER_CONFIG": str(self.config)}
        known = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False, env=clean)
        return known.returncode == 0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


_SETTINGS = [
    "--change",
    "ENV PATH=/bin",
    "--change",
    'CMD ["sh", "-c", "echo hello; exec sleep 1000"]',
]


def _root_filesystem() -> bytes:
    """A tar file with busybox under all its names."""
    busybox = shutil.which("busybox")
    assert busybox is not None, "busybox is missing: make tools"
    names = subprocess.run([busybox, "--list"], capture_output=True, check=True, text=True).stdout.split()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "tmp", "etc", "www"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(os.path.realpath(busybox), "bin/busybox")
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
        page = b"hello from busybox\n"
        entry = tarfile.TarInfo("www/index.html")
        entry.size = len(page)
        tar.addfile(entry, io.BytesIO(page))
    return packed.getvalue()
