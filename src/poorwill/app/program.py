"""The composition root: builds everything, owns the only task group, minds signals and the way out.

Gateway and control room meet here and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import structlog

from poorwill import __version__, clock
from poorwill.app.exit import Ending, Exit
from poorwill.app.measures import Measures
from poorwill.app.reload import amend, check_return, compare, retire, revive, successor
from poorwill.app.shells import Shells
from poorwill.app.sites import resume, set_up_door, sites, stray, upstreams
from poorwill.app.tenants import Grounds, Tenant, charge, leftover, tenants
from poorwill.config import Settings
from poorwill.control.desk import Desk
from poorwill.control.reconcile import Reconciler
from poorwill.control.recorder import Recorder
from poorwill.errors import BadInput, PoorwillError
from poorwill.gateway import visitors, xds
from poorwill.gateway.activity import Activity
from poorwill.gateway.admin import Admin
from poorwill.gateway.doors import Door
from poorwill.gateway.envoy import Envoy
from poorwill.gateway.front import Front
from poorwill.gateway.gate import Gate
from poorwill.gateway.slots import Pacer
from poorwill.gateway.switchboard import Switchboard
from poorwill.host.files import connections
from poorwill.host.table import this_host
from poorwill.store.folder import StateFolder, control_socket
from poorwill.store.journal import Entry, Journal, Kind, Restored
from poorwill.web.api import application
from poorwill.web.serve import serve, tcp_listener, unix_listener

log = structlog.get_logger()

Load = Callable[[], Settings]


class Poorwill:
    """One gateway. ``load`` reads the configuration again, for ``reload``; ``base`` is its folder."""

    def __init__(
        self, settings: Settings, folder: StateFolder, journal: Journal, load: Load, base: Path
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._journal = journal
        self._load = load
        self._shells = Shells(folder.instances_of, base, self._values)
        self._shells.know(settings.machines)
        self._grounds = Grounds(folder, base, self._look, self._noted, self._shells)
        self._reloading = asyncio.Lock()
        self._serving = False
        self._tasks: asyncio.TaskGroup | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._sockets = xds.sockets_in(folder.sockets)
        admin = Admin(self._sockets.admin)
        self._doors: dict[str, Door] = {}
        self._switchboard = Switchboard(folder.envoy, admin, stray(), self._confirmed)
        self._activity = Activity(admin, self._nudge, self._switchboard.members)
        self._pacer = Pacer(self._doors, self._switchboard, admin)
        self._recorder = Recorder(journal)
        around = (journal, self._recorder, self._spawn, self._shells)
        self._measures = measures = Measures(admin, self._doors, *around, self._nudge)
        self._front = Front(self._doors, self._switchboard, self._activity, self._nudge, measures.readings)
        self._gate = Gate(self._doors, folder.client_key())
        self._reconciler = Reconciler(self._front, self._recorder, self._spawn, self._forgotten)
        self._ending = Ending(self._reconciler)
        self._desk = Desk(self._reconciler, self._recorder)
        bootstrap = xds.bootstrap(
            node=folder.gateway_id(),
            listen=(settings.listen.host, settings.listen.port),
            sockets=self._sockets,
            folder=folder.envoy,
            http_connections=connections(),
        )
        self._envoy = Envoy(folder.envoy, admin, bootstrap, this_host())

    async def run(self, serving: Callable[[], None]) -> Exit:
        """Serve until told to end; ``serving()`` is called once when visitors can come in."""
        restored = await self._journal.restore()
        async with asyncio.TaskGroup() as self._tasks:
            self._spawn(self._recorder.run())
            self._spawn(self._reconciler.run())
            self._mind_signals()
            try:
                await self._open(restored)
                self._serving = True
                serving()
                await self._ending.wait()
                await self._close()
            finally:
                for task in self._running:
                    task.cancel()
        for facts in self._reconciler.services.values():
            await facts.provider.close()
            if facts.tunnel is not None:
                down = self._ending.how is Exit.DOWN  # closing it at rest may have been cut off
                await (facts.tunnel.close() if down else facts.tunnel.leave())
        await self._shells.close()
        return self._ending.how or Exit.LEAVE

    def _look(self, service: str) -> None:
        self._reconciler.look(service)

    def _noted(self, service: str, words: str) -> None:
        log.info("noted", service=service, what=words)
        self._recorder.note(clock.now(), Entry(Kind.NOTED, service, reason=words))

    def _values(self, machine: str) -> Mapping[str, str] | None:
        """What is known of a machine that runs: where it is."""
        facts = self._reconciler.services.get(machine)
        places = facts.places.values() if facts else ()
        return next((place.sighting.values for place in places if place.sighting and place.runs), None)

    def _nudge(self, service: str) -> None:
        self._reconciler.nudge(service)

    def _confirmed(self, service: str) -> None:
        self._front.confirmed(service)

    # --- coming ---------------------------------------------------------------------------------

    async def _open(self, restored: Mapping[str, Restored]) -> None:
        metrics = self._measures.metrics(self._desk)
        public = application(self._desk, self, self._journal, self._folder.admin_token(), metrics)
        private = application(self._desk, self, self._journal, None, metrics)
        asks = visitors.application(self._doors, self._gate.key, self._noted)
        servers = (
            (public, tcp_listener(self._settings.admin.host, self._settings.admin.port)),
            (private, unix_listener(control_socket(self._folder.path))),
            (asks, unix_listener(self._sockets.visitors)),
        )
        for app, listener in servers:
            self._spawn(serve(app, listener))
        self._switchboard.load()
        self._look_after_removed(restored)
        self._shape()
        self._switchboard.write()
        for name, tenant in tenants(self._settings).items():
            self._take_charge(tenant, restored.get(name, Restored()))
        await self._gate.serve(self._sockets.gate)
        arrival = await self._envoy.arrive()
        self._note(Kind.GATEWAY, f"envoy {arrival.how}", pid=arrival.pid)
        await self._activity.begin()
        gateway = (self._switchboard.run(), self._activity.run(), self._pacer.run())
        measures = self._measures.works(self._reconciler.services, self._front)
        for work in (*gateway, *measures, self._envoy.keep(self._envoy_again)):
            self._spawn(work)
        self._note(Kind.UP, f"poorwill {__version__}", listen=str(self._settings.listen))

    def _look_after_removed(self, restored: Mapping[str, Restored]) -> None:
        """What left the configuration while nobody looked, and may run still, is put to sleep."""
        for name, past in restored.items():
            if name in tenants(self._settings):
                continue
            if facts := leftover(name, past, self._grounds):
                retire(facts)
                if facts.has_door:
                    self._doors[name] = Door(name, 0.0, self._reconciler.nudge)
                self._reconciler.add(facts)

    def _take_charge(self, tenant: Tenant, restored: Restored) -> None:
        has_door = tenant.name in self._settings.visited
        self._reconciler.add(charge(tenant, restored, self._grounds, has_door=has_door))
        resume(self._doors.get(tenant.name), tenant, restored)
        if self._ending.how is Exit.DOWN:  # somebody did not wait until we were up
            self._ending.put_to_sleep()

    def _envoy_again(self, pid: int) -> None:
        self._note(Kind.GATEWAY, "envoy ended and was started again", pid=pid)
        self._switchboard.again()

    # --- going ----------------------------------------------------------------------------------

    def down(self) -> None:
        """Put everything to sleep, then end. A second call cuts what is still open."""
        self._ending.down()

    async def _close(self) -> None:
        asleep = self._ending.how is Exit.DOWN and await self._ending.asleep()
        await self._measures.end()
        if asleep:
            self._note(Kind.DOWN, "everything is asleep", left=self._ending.left)
            await self._envoy.stop()
        else:
            self._ending.how = Exit.LEAVE
            self._note(Kind.DOWN, "the control plane ends; Envoy and the services go on")
            self._envoy.forget()
        if not await self._recorder.flush(5.0):
            log.error("the journal could not be written to the end", trouble=self._recorder.trouble)
        await self._gate.stop()

    def _mind_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.down)
        loop.add_signal_handler(signal.SIGTERM, self._ending.leave)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload_by_signal()))

    # --- reading the file again -----------------------------------------------------------------

    async def _reload_by_signal(self) -> None:
        try:
            await self.reload()
        except PoorwillError as error:
            log.error("the configuration is not taken; the old one stays", error=str(error), hint=error.hint)

    async def reload(self) -> Mapping[str, Any]:
        """Take a changed configuration; raises ConfigError and keeps the old one when it cannot be used."""
        async with self._reloading:
            if self._ending.begun:
                raise BadInput("Poorwill is going down", hint="start it again with the new configuration")
            fresh = await asyncio.to_thread(self._load)
            restored = await self._journal.restore()
            return self._take_over(fresh, restored)

    def _take_over(self, fresh: Settings, restored: Mapping[str, Restored]) -> Mapping[str, Any]:
        """All of it at one moment. What can fail comes first: it is taken whole or not at all."""
        changes = compare(self._settings, fresh)
        known = self._reconciler.services
        new = [name for name in changes.added if name not in known]
        back = [name for name in changes.added if name in known]  # not even asleep yet
        all_of_it = tenants(fresh)
        for name in back:
            check_return(known[name], all_of_it[name], has_door=name in fresh.visited)
        newcomers = [
            charge(
                all_of_it[name],
                restored.get(name, Restored()),
                self._grounds,
                has_door=name in fresh.visited,
            )
            for name in new
        ]
        successors = {name: successor(all_of_it[name], self._grounds) for name in (*changes.changed, *back)}
        self._settings = fresh
        self._shells.know(fresh.machines)
        for name in changes.removed:
            retire(known[name])
        for name in back:
            revive(known[name])
        for name, then in successors.items():
            if entry := amend(known[name], all_of_it[name], then):
                self._recorder.note(clock.now(), entry)
        self._shape()
        for facts in newcomers:
            self._reconciler.add(facts)
        for name in known:
            self._reconciler.nudge(name)
        self._note(Kind.RELOAD, "the configuration was read again", **changes.lists())
        return changes.lists()

    def _shape(self) -> None:
        """Doors and routes for the services of the configuration and those on their way out."""
        for service in self._settings.visited.values():
            set_up_door(self._doors, service, self._reconciler.nudge, self._pacer.look)
        self._measures.shape(self._settings)
        leaving = self._doors.keys() - self._settings.visited.keys()
        self._switchboard.reshape(sites(self._settings, self._folder), upstreams(self._settings), leaving)

    def _forgotten(self, name: str) -> None:
        """A removed service is asleep: its host is unknown from now on."""
        self._doors.pop(name, None)
        self._shape()

    # --- the rest -------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """For monitors: whether the control plane turns its loop and can write its journal."""
        return {
            "status": "degraded" if self._recorder.trouble else "ok",
            "version": __version__,
            "pid": os.getpid(),
            "serving": self._serving,
            "trouble": self._recorder.trouble,
        }

    def _note(self, kind: Kind, reason: str, **detail: Any) -> None:
        log.info(str(kind), reason=reason, **detail)
        self._recorder.note(clock.now(), Entry(kind, reason=reason, detail=detail))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> object:
        if self._tasks is None:
            raise RuntimeError("the program does not run yet")
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
