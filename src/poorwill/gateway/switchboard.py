"""Envoy's files kept in line with what is wanted, and the proof that Envoy follows.

Callers say what they want and return at once; one task writes the files (each by an atomic rename),
waits until Envoy's own stats show the new versions, and only then calls a change done. Wishes that
arrive meanwhile are written together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import structlog

from poorwill import clock
from poorwill.core.door import Gate, GateState, Member, Membership
from poorwill.core.target import Target
from poorwill.errors import GatewayError
from poorwill.gateway import xds
from poorwill.gateway.admin import Admin
from poorwill.gateway.again import FRESH
from poorwill.gateway.clusters import Slots, Upstream, cluster_name, endpoints_file
from poorwill.gateway.files import Files
from poorwill.gateway.members import Members
from poorwill.gateway.routes import Site, Stray
from poorwill.host import trouble
from poorwill.host.reserve import Reserve

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
        self._upstreams: dict[str, Upstream] = {}
        self._later: dict[str, Upstream] = {}
        self.members = Members()
        self._open: set[str] = set()
        self._fresh: dict[str, float] = {}
        self._paced: set[str] = set()
        self._gates: dict[str, Gate] = {}
        self._pending: dict[str, int] = {}
        self._wishes = 0
        self._versions: dict[str, str] = {}
        self._common: dict[str, str] = {}
        self._earlier: set[str] = set()
        self._earlier_paced: set[str] = set()
        self._resumes = False
        self._files = Files(folder)
        self._trouble: int | None = None
        self._reserve = Reserve(folder / "reserve")
        self._wake = asyncio.Event()

    def load(self) -> None:
        """Begin with what the files of an earlier life say, before ``reshape`` names the services: what is
        open, and where instances answer. An endpoint that went and came would not know its open requests.
        """
        self._resumes = True
        self._earlier, self._earlier_paced = self._files.open_services()

    def reshape(
        self, sites: Mapping[str, Site], upstreams: Mapping[str, Upstream], leaving: Collection[str] = ()
    ) -> None:
        """The services there are. New ones begin closed.

        Those ``leaving`` keep their clusters, so that their open requests can end, but no routes: their
        host and path are free for others at once. How a service is spoken to changes only when where it
        answers does: what runs still speaks as before.
        """
        known = self._upstreams
        self._later = {
            name: upstream
            for name, upstream in upstreams.items()
            if self.members.published(name) and known.get(name, upstream) != upstream
        }
        upstreams = {
            **{name: known.get(name, Upstream()) for name in leaving},
            **upstreams,
            **{name: known[name] for name in self._later},
        }
        for name in upstreams.keys() - known.keys():
            self.members.begin(name, self._files.places(name) if self._resumes else {})
            self._gates[name] = Gate(GateState.MOVING, clock.now().mono)
        self._open |= self._earlier & upstreams.keys()
        self._paced |= self._earlier_paced & upstreams.keys()
        self._earlier, self._earlier_paced, self._resumes = set(), set(), False
        for name in known.keys() - upstreams.keys():
            del self._gates[name]
            self.members.forget(name)
            self._pending.pop(name, None)
            self._versions.pop(name, None)
            self._open.discard(name)
            self._fresh.pop(name, None)
            self._paced.discard(name)
        self._sites, self._upstreams = dict(sites), upstreams
        self._common = {}
        self._touch(*upstreams)

    def again(self) -> None:
        """A new Envoy has to confirm everything."""
        self._touch(*self._upstreams)

    def gate(self, service: str) -> Gate:
        return self._gates[service]

    def open(self, service: str) -> None:
        """Let visits in. While it is ``paced`` as well, those that need a slot ask the gate for it."""
        if service not in self._open:
            self._fresh[service] = clock.now().mono + FRESH
        self._open.add(service)
        self._move(service)

    def pace(self, service: str, on: bool) -> None:
        """Whether requests that need a slot ask the gate, or go straight to Envoy's own cap."""
        if on != (service in self._paced):
            (self._paced.add if on else self._paced.discard)(service)
            self._touch(service)

    def paced(self, service: str) -> bool:
        return service in self._paced

    def slots(self, service: str) -> Slots | None:
        """As Envoy has them now: a change of the configuration may have to wait for the next instance."""
        upstream = self._upstreams.get(service)
        return upstream.slots if upstream else None

    def room(self, service: str) -> int:
        """Slots of all instances together that visitors are sent to."""
        slots = self.slots(service)
        return slots.limit * len(self.members.joined(service)) if slots else 0

    def close(self, service: str) -> None:
        self._open.discard(service)
        self._fresh.pop(service, None)
        self._paced.discard(service)
        self._move(service)

    def route(self, service: str, instance: str, target: Target | None) -> None:
        """Publish where an instance answers; None closes Envoy's connections to it."""
        before = set(self.members.published(service).values())
        if not self.members.route(service, instance, target):
            return
        if service in self._later and before.isdisjoint(self.members.published(service).values()):
            self._upstreams[service] = self._later.pop(service)
            self._common.pop(_CDS, None)
        self._touch(service)

    def wish(self, service: str, instance: str, wish: Membership) -> None:
        """Whether visitors are sent to an instance, as soon as it is known where it answers."""
        if self.members.wish(service, instance, wish):
            self._touch(service)

    def member(self, service: str, instance: str) -> Member:
        return self.members.member(service, instance)

    def confirmed(self, service: str) -> bool:
        """Whether Envoy has everything that was last published for this service."""
        return service not in self._pending

    def write(self) -> None:
        """Bring the files up to date; on a full disk there is a reserve for that. Raises OSError."""
        try:
            self._write()
        except OSError as error:
            if not self._reserve.release(error):
                raise
            self._write()

    def _write(self) -> None:
        for name in self._pending:
            nobody = self._folder / "nobody" if self._upstreams[name].many else None
            endpoints = xds.endpoints(name, self.members.places(name), nobody)
            self._versions[name] = self._files.put(endpoints_file(name), endpoints)
        if _CDS not in self._common:
            self._common[_CDS] = self._files.put("cds.json", xds.clusters(self._upstreams, self._folder))
            self.members.tell_apart(name for name, one in self._upstreams.items() if one.many)
            self._files.sweep(endpoints_file(name) for name in self._upstreams)
        now = clock.now().mono
        self._fresh = {name: end for name, end in self._fresh.items() if end > now}
        sites = [
            replace(
                site,
                slots=self.slots(name),
                paced=name in self._paced,
                many=self._upstreams[name].many,
                sticky=self._upstreams[name].sticky,
            )
            for name, site in self._sites.items()
        ]
        routes = xds.routes(sites, frozenset(self._open), self._stray, frozenset(self._fresh))
        self._common[_RDS] = self._files.put("rds.json", routes)

    async def run(self) -> None:
        """Write and confirm for ever."""
        while True:
            await self._pause(self._freshness())
            self._wake.clear()
            taken = dict(self._pending)
            try:
                self.write()
            except OSError as error:
                if self._trouble != error.errno:  # once: it is tried again every second
                    self._trouble = error.errno
                    words = trouble.words(error)
                    log.error("envoy's files cannot be written", error=words, hint=trouble.hint(error))
                await self._pause(1.0)
                self._wake.set()
                continue
            self._reserve.keep()
            if self._trouble is not None:
                log.info("envoy's files can be written again")
                self._trouble = None
            await self._confirm(taken)

    async def _confirm(self, taken: dict[str, int]) -> None:
        """Wait for Envoy to follow what was written last, service by service.

        Gives up when that takes long and newer wishes wait: what Envoy does not take must not hold them up.
        """
        pause, waited = 0.001, 0.0
        while taken and not (self._wake.is_set() and waited > _PATIENCE):
            for name in [name for name, wish in taken.items() if self._pending.get(name) != wish]:
                del taken[name]  # removed, or wished otherwise since: that is written next
            try:
                stats = await self._admin.stats(_VERSIONS)
            except GatewayError:
                stats = {}  # it is being started again; the wish stands
            if all(stats.get(name) == version for name, version in self._common.items()):
                for name in [name for name in taken if self._follows(name, stats)]:
                    self._settle(name, taken.pop(name))
            if taken:
                await asyncio.sleep(pause)
                waited += pause
                if waited < _PATIENCE <= waited + pause:
                    log.warning("envoy has not confirmed a change", services=sorted(taken)[:5])
                pause = min(pause * 2, 0.02 if waited < _PATIENCE else 0.5)

    def _follows(self, service: str, stats: Mapping[str, int | str]) -> bool:
        """Whether Envoy has the endpoints of a service, in each of its clusters."""
        upstream = self._upstreams.get(service)  # None: removed while Envoy was asked
        kinds = upstream.kinds if upstream else ()
        names = (f"cluster.{cluster_name(service, kind)}.version_text" for kind in kinds)
        return all(stats.get(name) == self._versions.get(service) for name in names)

    def _settle(self, service: str, wish: int) -> None:
        """What was not wished otherwise since it was written is true now."""
        if self._pending.get(service) != wish:
            return  # wished otherwise while Envoy was asked
        del self._pending[service]
        self.members.settle(service)
        state = GateState.OPEN if service in self._open else GateState.CLOSED
        if self._gates[service].state is not state:
            self._gates[service] = Gate(state, clock.now().mono)
        self._on_change(service)

    def _freshness(self) -> float | None:
        """Seconds until the first of the open services is no longer fresh."""
        ends = min(self._fresh.values(), default=None)
        return None if ends is None else max(0.0, ends - clock.now().mono)

    async def _pause(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _move(self, service: str) -> None:
        self._gates[service] = Gate(GateState.MOVING, clock.now().mono)
        self._touch(service)

    def _touch(self, *services: str) -> None:
        self._wishes += 1
        self._pending.update(dict.fromkeys(services, self._wishes))
        self._wake.set()
