"""The two ways in which the program ends, and the way to either."""

from __future__ import annotations

import asyncio
from enum import StrEnum

import structlog

from poorwill import clock
from poorwill.control.facts import Tenancy
from poorwill.control.reconcile import Reconciler
from poorwill.core.model import Hand, HandKind, Phase

log = structlog.get_logger()


class Exit(StrEnum):
    """How the program ends: everything put to sleep, or left running for the next start."""

    DOWN = "down"
    LEAVE = "leave"


class Ending:
    """``how`` is None as long as the program goes on."""

    def __init__(self, reconciler: Reconciler) -> None:
        self.how: Exit | None = None
        self._reconciler = reconciler
        self._cut = False
        self._begun = asyncio.Event()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    async def wait(self) -> None:
        """Until somebody wants the program to end."""
        await self._begun.wait()

    def down(self) -> None:
        """Put everything to sleep, then end. A second call cuts what is still open."""
        if self.how is Exit.LEAVE:
            return
        self._cut = self.how is Exit.DOWN
        self.how = Exit.DOWN
        self.put_to_sleep()
        self._begun.set()

    def put_to_sleep(self) -> None:
        """Once the end has begun: also what was taken charge of since."""
        now = clock.now()
        for facts in self._reconciler.services.values():
            cut = self._cut and facts.tenancy is not Tenancy.MACHINE  # what is on it is stopped first
            facts.hand = Hand(HandKind.SLEEP, now.mono, by="because poorwill goes down", force=cut)
            facts.closed_to = "closing"
            self._reconciler.nudge(facts.name)

    def leave(self) -> None:
        """End, and leave Envoy and the services running for the next start, those on their way out too."""
        self.how = Exit.LEAVE
        self._begun.set()
        for name in self._reconciler.services:
            self._reconciler.nudge(name)

    async def asleep(self) -> bool:
        """Wait until all is asleep. False when that was called off: SIGTERM came, or a cut cannot reach what
        nobody can see.
        """
        said = told = False
        while self.how is Exit.DOWN:
            open_still = [facts for facts in self._reconciler.services.values() if not facts.at_rest]
            if not open_still:
                return True
            unseen = [facts.name for facts in open_still if facts.phase is Phase.UNKNOWN]
            under = {facts.machine for facts in open_still if facts.phase is Phase.UNKNOWN}
            looking = any(facts.unlooked for facts in open_still)
            if self._cut and not looking and all(facts.name in {*unseen, *under} for facts in open_still):
                log.error("left as it is, because nobody knows whether it runs", services=unseen)
                return False
            traffic = [self._reconciler.front.traffic(facts.name) for facts in open_still]
            if unseen and not told:
                told = True
                log.warning("waits: nobody knows whether it runs; once more leaves it", services=unseen)
            if not said and any(seen.active or seen.busy for seen in traffic):
                said = True
                log.info("waiting for open work to end; once more cuts it")
            await self._reconciler.decided()
        return False
