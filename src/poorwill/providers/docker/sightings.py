"""What is said of an instance's containers in the contract's words: state, life, address, how it ended."""

from __future__ import annotations

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.base import Handle, Sighting, Surroundings
from poorwill.providers.docker import address
from poorwill.providers.docker.deeds import Deeds
from poorwill.providers.docker.engine import Engine
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.options import Common
from poorwill.providers.docker.state import Seen


class Sightings:
    """``_last_words`` holds what the last one that ended badly had printed, by its life."""

    def __init__(self, common: Common, around: Surroundings, engine: Engine, deeds: Deeds) -> None:
        self._port = common.port
        self._around = around
        self._engine = engine
        self._deeds = deeds
        self._last_words: dict[str, str] = {}

    def check(self, main: Seen) -> None:
        """Before a start: raises Permanent when it is clear that nobody could be sent there."""
        if self._tells_address:
            address.check(main, self._port, self._engine.endpoint.host)

    def handle(self, instance: str, main: Seen) -> Handle:
        thawed = self._deeds.thawed(main.id)
        return Handle(instance, {"container": main.id, **({"thawed": thawed} if thawed else {})})

    async def of(
        self, instance: str, group: Group, main: Seen, *, starting: bool, stopping: bool
    ) -> Sighting:
        """``starting`` and ``stopping`` say which calls are under way."""
        condition = main.condition
        if stopping and group.holds:
            condition = Condition.STOPPING
        elif condition is Condition.ABSENT and starting:
            condition = Condition.STARTING
        dated = condition is not Condition.STARTING and not self._deeds.thawed(main.id)
        where, values = self._where(main) if condition is Condition.RUNNING else (None, {})
        return Sighting(
            instance,
            condition,
            life=self._life(main),
            address=where,
            detail=await self._detail(condition, main, group),
            handle=self.handle(instance, main),
            exit_code=main.exit_code if condition is Condition.ABSENT else None,
            values=values,
            resumed=main.restarts > 0,
            since=main.since if dated else None,
            until=main.until if dated else None,
        )

    def _where(self, main: Seen) -> tuple[str | None, dict[str, str]]:
        """The address, unless the user says it. On a machine only the machine knows how it is reached."""
        if self._around.address is not None:
            return None, {}
        try:
            told = address.of(main, self._port, self._engine.endpoint.host)
        except Permanent:
            if self._tells_address:
                raise
            return None, {}
        host, _, port = told.rpartition(":")
        return (told if self._tells_address else None), {"container_host": host, "container_port": port}

    @property
    def _tells_address(self) -> bool:
        """Whether nobody else says where an instance answers, and somebody wants to know."""
        around = self._around
        return around.visited and around.address is None and around.shell is None

    def _life(self, main: Seen) -> str:
        thawed = self._deeds.thawed(main.id)
        return f"{main.life} {thawed}" if thawed else main.life

    async def _detail(self, condition: Condition, main: Seen, group: Group) -> str:
        match condition:
            case Condition.ABSENT:
                return await self._epitaph(main)
            case Condition.STOPPING:
                return "asked to end" if main.status != "removing" else "it is being removed"
            case Condition.UNKNOWN:
                return f"its state is {main.status!r}, which this version does not know"
            case Condition.STARTING:
                return "what it depends on is started first" if len(group.services) > 1 else ""
        return "; ".join(f"{seen.service} is down: {seen.epitaph()}" for seen in group.down())

    async def _epitaph(self, main: Seen) -> str:
        """How it ended, and who did it; with its last words when it ended by itself and not well."""
        if self._deeds.is_ours(main.id):
            return f"stopped: {main.epitaph()}" if main.exit_code is not None else main.epitaph()
        who = self._deeds.how(main.id)
        how = main.epitaph()
        detail = f"{who}: {how}" if who and who not in how and main.status != "paused" else how
        if not main.exit_code or who.startswith("somebody"):
            return detail
        key = f"{main.id} {main.finished}"
        if key not in self._last_words:
            lines = await self._engine.log(main.id, 3)
            self._last_words = {key: f"; it printed: {' / '.join(lines)[-300:]}" if lines else ""}
        return detail + self._last_words[key]
