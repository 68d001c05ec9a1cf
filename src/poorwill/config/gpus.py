"""What has to fit between services that share a GPU: names, and amounts of memory."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poorwill.config.claims import Complaint
from poorwill.config.complaint import Loc, wrong
from poorwill.config.gpu import GpuConfig
from poorwill.core.allocate import fits
from poorwill.core.memory import memory_text
from poorwill.core.share import Card, Share

if TYPE_CHECKING:
    from collections.abc import Callable

    from poorwill.config.machine import MachineConfig
    from poorwill.config.service import ServiceConfig

Services = Mapping[str, "ServiceConfig"]
Machines = Mapping[str, "MachineConfig"]


@dataclass(frozen=True, slots=True)
class Cards:
    """The GPUs of this host and of the machines, as far as the file tells; ``asked()`` says what nvidia-smi
    says of this host's: bytes by number and by UUID.
    """

    here: Mapping[str, GpuConfig]
    machines: Machines
    asked: Callable[[], Mapping[str, int]]

    def listed(self, machine: str) -> Mapping[str, GpuConfig]:
        if not machine:
            return self.here
        return self.machines[machine].gpus if machine in self.machines else {}

    def share(self, service: ServiceConfig) -> Share | None:
        """What one instance of the service needs, and how much memory its cards have."""
        gpu, machine = service.gpu, service.on or ""
        if gpu is None:
            return None
        cards = tuple(Card(name, machine, self._memory(name, machine, gpu.memory)) for name in gpu.name)
        return Share(cards, gpu.memory, gpu.priority, gpu.min_awake)

    def _memory(self, name: str, machine: str, need: int | None) -> int | None:
        listed = self.listed(machine).get(name)
        if listed is not None and listed.memory is not None:
            return listed.memory
        return self.asked().get(name) if need is not None and not machine else None


def gpu_complaints(services: Services, shares: Mapping[str, Share], cards: Cards) -> list[Complaint]:
    found: list[Complaint] = []
    for name, share in shares.items():
        found += _unknown(name, services[name], cards) or _too_much(name, share, cards)
    return found or [
        complaint for name in shares for complaint in _with_what_it_needs(name, services, shares)
    ]


def _unknown(name: str, service: ServiceConfig, cards: Cards) -> list[Complaint]:
    """Where GPUs are listed, all are."""
    machine = service.on or ""
    listed, found = cards.listed(machine), []
    for index, gpu in enumerate(service.gpu.name if service.gpu and listed else ()):
        if gpu not in listed:
            where = f"machines.{machine}.gpus" if machine else "gpus"
            near = difflib.get_close_matches(gpu, listed, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(listed))}"
            found.append(((*_at(name), "name", index), wrong(f"there is no GPU {gpu} in {where}", hint), gpu))
    return found


def _too_much(name: str, share: Share, cards: Cards) -> Iterator[Complaint]:
    loc: Loc = (*_at(name), "memory")
    for card in share.cards if share.memory is not None else ():
        if card.memory is None:
            yield loc, wrong(f"nobody knows how much memory {card} has", _how_to_tell(card, cards)), None
        elif not fits([(share.memory, 1)], card.memory):
            hint = "say how much the service really needs; `nvidia-smi` shows it while it runs"
            yield loc, wrong(f"{card} has only {memory_text(card.memory)}", hint), None


def _how_to_tell(card: Card, cards: Cards) -> str:
    line = f"gpus: {{{card.name}: {{memory: 24GB}}}}"
    if card.machine:
        return f"add it to machines.{card.machine}: {line}"
    known = sorted(name for name in cards.asked() if name.isdecimal())
    if known:
        return f"nvidia-smi shows {', '.join(known)}; for others write {line} at the top of the file"
    return f"there is no nvidia-smi to ask: write {line} at the top of the file"


def _with_what_it_needs(name: str, services: Services, shares: Mapping[str, Share]) -> Iterator[Complaint]:
    """What is needed has to be awake beside what needs it."""
    together = {name: shares[name]}
    ahead = [*services[name].needs]
    while ahead:
        need = ahead.pop()
        if need in services and need not in together:
            ahead += services[need].needs
            if need in shares:
                together[need] = shares[need]
    for card in shares[name].cards:
        there = [one for one in together if card.key in {c.key for c in together[one].cards}]
        if len(there) > 1 and not fits([(together[one].memory, 1) for one in there], card.memory):
            others = " and ".join(one for one in there if one != name)
            hint = "say how much memory each of them needs, or give them different GPUs"
            yield (
                _at(name),
                wrong(f"it does not fit on {card} together with {others}, which it needs", hint),
                None,
            )
            return


def _at(name: str) -> Loc:
    return "services", name, "gpu"
