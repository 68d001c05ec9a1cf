"""A rented machine as real as one host allows: a network namespace with an sshd and an engine of its own,
switched on and off by a fake cloud, and at another address after each start.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.docker_engine import IMAGE, DockerEngine, ip
from tests.ports import free_network
from tests.providers.http.cloud import TOKEN, FakeCloud, Machine
from tests.providers.ssh.sshd import Sshd

from poorwill.providers.http.library import cloud

ID = "pro-1"
WEB, MODEL, BUILT_IN = 8000, 8001, 8002
"""Ports on the machine: a container's, a script's, and of what starts with it."""


class Rented:
    """``on`` says whether its sshd and its engine run. ``addresses`` are those it has had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"pw{secrets.token_hex(3)}"
        self.net = f"10.{free_network()}.77"
        self.addresses: list[str] = []
        self.cloud = FakeCloud(machines=(ID,))
        self.cloud.on_power_on, self.cloud.on_power_off = self._power_on, self._power_off
        ip("netns", "add", self.name)
        ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("addr", "add", f"{self.net}.1/24", "dev", self.name)
        ip("link", "set", self.name, "up")
        for device in ("lo", "eth0"):
            ip("-n", self.name, "link", "set", device, "up")
        self.engine = DockerEngine(netns=self.name)
        self.engine.create()
        self.engine.stop()
        environment = f"DOCKER_CONFIG={self.engine.config}"
        self.sshd = Sshd(folder / "sshd", address="0.0.0.0", env=environment, netns=self.name)
        self._own: subprocess.Popen[bytes] | None = None
        self.on = False

    @property
    def machine(self) -> Machine:
        return self.cloud.machines[ID]

    async def _power_on(self, machine: Machine) -> Mapping[str, str]:
        address = f"{self.net}.{10 + machine.starts}"
        self.addresses.append(address)
        ip("-n", self.name, "addr", "flush", "dev", "eth0")
        ip("-n", self.name, "addr", "add", f"{address}/24", "dev", "eth0")
        self.sshd.at(address)
        await self.sshd.start()
        await asyncio.to_thread(self.engine.start)
        self._own = self.inside("httpd", "-f", "-p", str(BUILT_IN), "-h", str(self._page("built in")))
        self.on = True
        return {"host": address, "ssh_port": str(self.sshd.port)}

    async def _power_off(self, _machine: Machine) -> None:
        self.on = False
        self.sshd.stop()
        if self._own is not None:
            self._own.kill()
            self._own.wait()
            self._own = None
        self.end_scripts()
        await asyncio.to_thread(self._stop_engine)

    def vanish(self) -> None:
        """Somebody switches it off in the cloud's console."""
        self.cloud.power_off(self.machine)

    def destroy(self) -> None:
        self.end_scripts()
        self.sshd.stop()
        if self._own is not None:
            self._own.kill()
            self._own.wait()
        self.engine.destroy()
        ip("netns", "del", self.name)

    def inside(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["nsenter", f"--net=/run/netns/{self.name}", "busybox", *words])

    def end_scripts(self) -> None:
        """What the start script left in the background goes with the machine."""
        file = self.folder / "model.pid"
        if file.exists():
            subprocess.run(["kill", "-9", file.read_text().strip()], check=False, capture_output=True)
            file.unlink()

    def _stop_engine(self) -> None:
        if self.engine._process is not None:
            running = self.engine.run("ps", "-q").split()
            if running:
                self.engine.run("kill", *running)
            self.engine.stop()

    def _page(self, text: str) -> Path:
        folder = self.folder / text.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text(text)
        return folder

    # --- the configuration --------------------------------------------------------------------------

    def machines(self, **about: Any) -> dict[str, Any]:
        described = cloud("autodl").model_dump(mode="json", by_alias=True, exclude_unset=True)
        described |= {"settle": "1s", **about}
        http = {"description": described, "instance": ID, "token": TOKEN, "url": self.cloud.url}
        ssh = {"user": "root", "key": str(self.sshd.key), "host_key": "accept-new"}
        return {"gpu": {"http": http, "ssh": ssh, "idle_after": "1s", "ready": {"timeout": "40s"}}}

    def services(self) -> dict[str, Any]:
        compose = self.folder / "compose.yml"
        compose.write_text(
            f"services:\n  web:\n    image: {IMAGE}\n    network_mode: host\n    stop_grace_period: 1s\n"
            f'    command: ["httpd", "-f", "-p", "{WEB}", "-h", "/www"]\n'
        )
        pid, page = self.folder / "model.pid", self._page("model")
        start = f"busybox httpd -f -p 127.0.0.1:{MODEL} -h {page} >/dev/null 2>&1 & echo $! > {pid}"
        common = {"on": "gpu", "idle_after": "1s", "drain": "1s", "hold": "60s", "ready": {"timeout": "40s"}}
        return {
            "kb": {
                **common,
                "hosts": ["kb.test"],
                "run": {"compose": {"file": str(compose), "service": "web", "engine": self.engine.url}},
                "needs": ["model"],
                "address": f"{{host}}:{WEB}",
            },
            "model": {
                **common,
                "hosts": ["model.test"],
                "run": {
                    "command": {
                        "start": start,
                        "stop": f"kill $(cat {pid}); rm {pid}",
                        "status": f"test -e {pid} && kill -0 $(cat {pid}) || exit 3",
                    }
                },
                "address": f"tunnel:{MODEL}",
            },
            "own": {**common, "hosts": ["own.test"], "address": f"{{host}}:{BUILT_IN}"},
        }
