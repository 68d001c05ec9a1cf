"""Envoy's files kept in line with what is wanted, and the proof that Envoy follows.

Callers say what they want and return at once; one task writes the files (each by an atomic rename),
waits until Envoy's own stats show the new versions, and only then calls a change done. Wishes that
arrive meanwhile are written together.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import structlog

from poorwill import clock
from poorwill.core.model import Gate, GateState
from poorwill.errors import GatewayError
from poorwill.gateway import xds
from poorwill.gateway.admin import Admin
from poorwill.gateway.routes import Site, Stray

Address = tuple[str, int]

_VERSIONS = r"version_text$"
_RDS = f"http.ingress.rds.{xds.ROUTES}.version_text"
_CDS = "cluster_manager.cds.version_text"
_PATIENCE = 5.0
"""Seconds without Envoy's confirmation after which it is worth a line in the log."""

log = structlog.get_logger()


class Switchboard:
    """Which services are open, and where they answer.

    ``on_change(service)`` is called when a gate or the endpoints of a service are confirmed.
    """

    def __init__(self, folder: Path, admin: Admin, stray: Stray, on_change: Callable[[str], None]) -> None:
        self._folder = folder
        self._admin = admin
        self._stray = stray
        self._on_change = on_change
        self._sites: dict[str, Site] = {}
        self._protocols: dict[str, str] = {}
        self._endpoints: dict[str, tuple[Address, ...]] = {}
        self._open: set[str] = set()
        self._gates: dict[str, Gate] = {}
        self._pending: set[str] = set()
        self._earlier: set[str] = set()
        self._written: dict[str, str] = {}
        self._wake = asyncio.Event()

    def load(self) -> None:
        """Begin with what the files of an earlier life say is open, before ``reshape`` names the services."""
        self._earlier = self._read_open()

    def reshape(
        self, sites: Mapping[str, Site], protocols: Mapping[str, str], leaving: Collection[str] = ()
    ) -> None:
        """The services there are. New ones begin closed; those ``leaving`` keep what they have for now."""
        sites = {**{name: self._sites[name] for name in leaving if name in self._sites}, **sites}
        protocols = {**{name: self._protocols.get(name, "http1") for name in leaving}, **protocols}
        for name in protocols.keys() - self._protocols.keys():
            self._endpoints[name] = self._read_endpoints(name) if name in self._earlier else ()
            self._gates[name] = Gate(GateState.MOVING, clock.now().mono)
        self._open |= self._earlier & protocols.keys()
        self._earlier = set()
        for name in self._protocols.keys() - protocols.keys():
            for table in (self._endpoints, self._gates):
                table.pop(name)
            self._open.discard(name)
        self._sites, self._protocols = sites, protocols
        self._touch(*protocols)
        self.write()

    def again(self) -> None:
        """A new Envoy has to confirm everything."""
        self._touch(*self._protocols)

    def gate(self, service: str) -> Gate:
        return self._gates[service]

    def open(self, service: str) -> None:
        self._open.add(service)
        self._move(service)

    def close(self, service: str) -> None:
        self._open.discard(service)
        self._move(service)

    def route(self, service: str, addresses: tuple[Address, ...]) -> None:
        """Publish where the service answers; an empty tuple closes Envoy's connections to it."""
        if service in self._endpoints and self._endpoints[service] != addresses:
            self._endpoints[service] = addresses
            self._touch(service)

    def addresses(self, service: str) -> tuple[Address, ...]:
        return self._endpoints.get(service, ())

    def confirmed(self, service: str) -> bool:
        """Whether Envoy has everything that was last published for this service."""
        return service not in self._pending

    def write(self) -> dict[str, str]:
        """Bring the files up to date; returns the stats that will confirm them, with their versions."""
        names = sorted(self._protocols)
        expected = {}
        for name in names:
            resources = xds.endpoints(name, self._endpoints[name])
            self._put(xds.endpoints_file(name), resources)
            for kind in xds.CLASSES:
                expected[f"cluster.{xds.cluster_name(name, kind)}.version_text"] = resources["version_info"]
        resources = xds.clusters(self._protocols, self._folder)
        expected[_CDS] = resources["version_info"]
        self._put("cds.json", resources)
        resources = xds.routes(self._sites.values(), frozenset(self._open), self._stray)
        expected[_RDS] = resources["version_info"]
        self._put("rds.json", resources)
        for stale in self._folder.glob("eds-*.json"):
            if stale.name not in {xds.endpoints_file(name) for name in names}:
                stale.unlink()
                self._written.pop(stale.name, None)  # the service may come back with the same content
        return expected

    async def run(self) -> None:
        """Write and confirm for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            taken = set(self._pending)
            try:
                expected = self.write()
            except OSError as error:
                log.error("envoy's files cannot be written", folder=str(self._folder), error=str(error))
                await self._pause(1.0)
                self._wake.set()
                continue
            if await self._confirm(expected):
                self._settle(taken)

    async def _confirm(self, expected: Mapping[str, str]) -> bool:
        """Wait for Envoy; false when the wishes changed meanwhile and have to be written first."""
        pause, waited = 0.001, 0.0
        while not self._wake.is_set():
            try:
                stats = await self._admin.stats(_VERSIONS)
            except GatewayError:
                stats = {}  # it is being started again; the wish stands
            if all(stats.get(name) == version for name, version in expected.items()):
                return not self._wake.is_set()
            await self._pause(pause)
            waited += pause
            if waited < _PATIENCE <= waited + pause:
                missing = [name for name, version in expected.items() if stats.get(name) != version]
                log.warning("envoy has not confirmed a change", missing=missing[:5])
            pause = min(pause * 2, 0.02 if waited < _PATIENCE else 0.5)
        return False

    def _settle(self, taken: set[str]) -> None:
        now = clock.now().mono
        for name in taken & self._gates.keys():
            state = GateState.OPEN if name in self._open else GateState.CLOSED
            if self._gates[name].state is not state:
                self._gates[name] = Gate(state, now)
        self._pending -= taken
        for name in taken:
            self._on_change(name)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _move(self, service: str) -> None:
        self._gates[service] = Gate(GateState.MOVING, clock.now().mono)
        self._touch(service)

    def _touch(self, *services: str) -> None:
        self._pending.update(services)
        self._wake.set()

    def _put(self, name: str, resources: dict[str, Any]) -> None:
        version = resources["version_info"]
        if self._written.get(name) == version:
            return
        fresh = self._folder / f"{name}.new"
        fresh.write_text(json.dumps(resources))
        fresh.replace(self._folder / name)
        self._written[name] = version

    def _read_open(self) -> set[str]:
        found: set[str] = set()
        gated: set[str] = set()
        for host in self._read("rds.json").get("virtual_hosts", []):
            for route in host["routes"]:
                cluster, _, kind = route.get("route", {}).get("cluster", "").partition("/")
                if kind:
                    direct = "disabled" in next(iter(route["typed_per_filter_config"].values()))
                    (found if direct else gated).add(cluster)
        return found - gated

    def _read_endpoints(self, service: str) -> tuple[Address, ...]:
        places = self._read(xds.endpoints_file(service)).get("endpoints", [])
        sockets = [
            host["endpoint"]["address"]["socket_address"]
            for place in places
            for host in place["lb_endpoints"]
        ]
        return tuple((socket["address"], socket["port_value"]) for socket in sockets)

    def _read(self, name: str) -> dict[str, Any]:
        """The first resource of one of our own files; a torn or foreign file counts as none."""
        try:
            resource: dict[str, Any] = json.loads((self._folder / name).read_text())["resources"][0]
        except (OSError, ValueError, LookupError, TypeError):
            return {}
        return resource
