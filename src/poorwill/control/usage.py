"""What the instances of a service use of their host: processor, memory, GPU."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from poorwill import clock
from poorwill.control.facts import Facts
from poorwill.control.gpu import gpu_memory, gpu_use
from poorwill.control.place import Place
from poorwill.errors import Temporary
from poorwill.providers.base import Shell

GPU_WITHIN = 10.0
"""Seconds until ``nvidia-smi`` is given up. With many cards and no persistence mode it needs some."""

_MEASURED = 1.0
"""Seconds over which the use of the GPU is measured."""

Read = Callable[[str], Awaitable[float]]


@dataclass(slots=True)
class Usage:
    """``cpu`` is the processor time of each instance at the last look, by instance and life."""

    shell: Callable[[str], Shell]
    cpu: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    async def value(self, name: str, facts: Facts, places: Sequence[Place]) -> float | None:
        """The mean of the instances; of the GPU the busiest or fullest card. None at the first look, when
        there is nothing to compare with. Raises ProviderError when nobody can tell.
        """
        if name == "cpu":
            return await self._cpu(facts, places)
        if name == "memory":
            read = _reader(facts, "memory_bytes", "how much memory")
            return sum([await read(place.id) for place in places]) / len(places)
        shell = self.shell(facts.machine)
        pids = await self._pids(facts, places)
        if name == "gpu_memory":
            return (await gpu_memory(shell, pids, GPU_WITHIN))[0]
        return (await gpu_use(shell, pids, _MEASURED, GPU_WITHIN))[0]

    async def _cpu(self, facts: Facts, places: Sequence[Place]) -> float | None:
        """Per cent of one core."""
        read = _reader(facts, "cpu_seconds", "how much CPU")
        shares: list[float] = []
        now: dict[tuple[str, str], tuple[float, float]] = {}
        for place in places:
            used, at = await read(place.id), clock.now().mono
            life = (place.id, place.life)
            now[life] = used, at
            if life in self.cpu and at > self.cpu[life][1]:
                before, then = self.cpu[life]
                shares.append(max(0.0, used - before) / (at - then) * 100)
        self.cpu = now
        return sum(shares) / len(shares) if shares else None

    async def _pids(self, facts: Facts, places: Sequence[Place]) -> frozenset[int] | None:
        """Their processes, where they are of this host and it is known which; else the whole card counts."""
        own = getattr(facts.provider, "process_ids", None)
        if own is None or facts.machine:
            return None
        return frozenset().union(*[await own(place.id) for place in places])


def _reader(facts: Facts, method: str, what: str) -> Read:
    read: Read | None = getattr(facts.provider, method, None)
    if read is None:
        raise Temporary(
            f"its provider cannot tell {what} it uses",
            hint="process, docker and compose can; or use gpu, url",
        )
    return read
