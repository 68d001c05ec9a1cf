"""How much each GPU draws, as ``nvidia-smi`` tells it, here or on a machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from poorwill.control.cards import is_called
from poorwill.errors import Temporary
from poorwill.providers.base import Shell

_LINE = "nvidia-smi --query-gpu=index,uuid,power.draw --format=csv,noheader,nounits"

MOST = 10_000.0
"""Watts beyond which a figure is no figure: no card draws a tenth of that."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One card; ``watts`` is None when the driver does not tell (``[N/A]``: some virtual and older ones)."""

    index: str
    uuid: str
    watts: float | None

    def is_called(self, name: str) -> bool:
        return is_called(name, self.index, self.uuid)


async def draws(shell: Shell, timeout: float) -> list[Draw]:
    """Every card there. Raises ``Temporary`` when nobody can tell."""
    ran = await shell.run(_LINE, timeout=timeout)
    if ran.code == 127:
        raise Temporary("there is no nvidia-smi", hint="install the NVIDIA driver, or leave `measured` out")
    if ran.code is None:
        raise Temporary(f"nvidia-smi has not answered within {timeout:g} s")
    found = read(ran.output) if ran.code == 0 else []
    if not found:
        last = ran.output.strip().splitlines()[-1:]
        raise Temporary(f"nvidia-smi does not tell: {last[0] if last else f'exit code {ran.code}'}")
    return found


def read(told: str) -> list[Draw]:
    """The cards in what nvidia-smi printed; what else it says is passed over."""
    found = []
    for line in told.splitlines():
        words = [word.strip() for word in line.split(",")]
        if len(words) == 3 and words[0].isdecimal() and words[1].startswith("GPU-"):
            found.append(Draw(words[0], words[1], _watts(words[2])))
    return found


def _watts(word: str) -> float | None:
    try:
        watts = float(word)
    except ValueError:
        return None
    return watts if isfinite(watts) and 0 <= watts <= MOST else None
