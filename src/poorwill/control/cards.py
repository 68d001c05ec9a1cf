"""Who holds the memory of a GPU, as ``nvidia-smi`` tells it, here or on a machine."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.core.memory import memory_text
from poorwill.errors import Temporary
from poorwill.providers.base import Shell

_MIB = 1024 * 1024

_LINE = (
    "nvidia-smi --query-gpu=index,uuid,memory.free,memory.used,memory.total --format=csv,noheader,nounits"
    " && echo --- && { "
    "nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory,process_name --format=csv,noheader,nounits"
    " || true; }"
)

UNTOUCHED = 0.1
"""The part of a card's memory that counts as free all the same: drivers and screens take some."""

SHOWN = 5
"""Processes that are named at most."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with memory on a card; ``memory`` in bytes, None when the driver does not say."""

    pid: int
    program: str
    memory: int | None

    def __str__(self) -> str:
        taken = f", {memory_text(self.memory)}" if self.memory is not None else ""
        return f"process {self.pid} ({self.program.rpartition('/')[2]}{taken})"


@dataclass(frozen=True, slots=True)
class Reading:
    """One card; in bytes. Processes of other users and of containers may not be shown."""

    index: str
    uuid: str
    free: int
    used: int
    total: int
    holders: tuple[Holder, ...] = ()

    def is_called(self, name: str) -> bool:
        return is_called(name, self.index, self.uuid)

    def has_room(self, need: int | None) -> bool:
        """Whether so many bytes are free, or with None the whole card."""
        if need is not None:
            return self.free >= need
        return not self.holders and self.used <= UNTOUCHED * self.total

    def held_by(self) -> str:
        """Who holds the memory, the largest first."""
        if not self.holders:
            return f"by something that nvidia-smi does not name ({memory_text(self.used)})"
        ranked = sorted(self.holders, key=lambda one: (-(one.memory or 0), one.pid))
        more = f" and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
        return f"by {', '.join(map(str, ranked[:SHOWN]))}{more}"


def is_called(name: str, index: str, uuid: str) -> bool:
    """Whether people mean this card: they write its number, or how its UUID begins."""
    return name == index or (len(name) > len("GPU-") and uuid.startswith(name))


async def readings(shell: Shell, timeout: float) -> list[Reading] | None:
    """Every card there; None where there is no nvidia-smi. Raises ``Temporary`` when it does not tell."""
    ran = await shell.run(_LINE, timeout=timeout)
    if ran.code == 127:
        return None
    if ran.code is None:
        raise Temporary(f"nvidia-smi has not answered within {timeout:g} s")
    if ran.code != 0:
        last = ran.output.strip().splitlines()[-1:]
        raise Temporary(f"nvidia-smi does not tell: {last[0] if last else f'exit code {ran.code}'}")
    return read(ran.output)


def read(told: str) -> list[Reading]:
    """The cards in what nvidia-smi printed; one whose memory it does not tell is left out."""
    first, _, second = told.partition("---")
    holders: dict[str, list[Holder]] = {}
    for line in second.splitlines():
        words = [word.strip() for word in line.split(",", 3)]
        if len(words) == 4 and words[1].isdecimal():
            holders.setdefault(words[0], []).append(Holder(int(words[1]), words[3], _bytes(words[2])))
    found = []
    for line in first.splitlines():
        words = [word.strip() for word in line.split(",")]
        if len(words) != 5:
            continue  # a warning of the driver
        free, used, total = map(_bytes, words[2:])
        if free is not None and used is not None and total is not None:
            found.append(Reading(words[0], words[1], free, used, total, tuple(holders.get(words[1], ()))))
    return found


def _bytes(word: str) -> int | None:
    return int(word) * _MIB if word.isdecimal() else None
