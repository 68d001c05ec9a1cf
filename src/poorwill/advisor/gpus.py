"""Common GPUs with their memory and what they typically cost: the shipped table, ``gpus.yaml``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from poorwill.config.load import read_document
from poorwill.core.memory import GB
from poorwill.core.price import Price
from poorwill.errors import BadInput

_NOISE = re.compile(r"nvidia|geforce|tesla|quadro|amd|instinct|gpu|rtx|generation|sxm\d?|pcie|hbm\d?e?")
_MEMORY = re.compile(r"(\d{1,3})g(?:i?b)?")


class Typical(BaseModel):
    """What an hour of one GPU cost at ``provider``, and where and when that was read.

    ``date`` is a day, or a month where the day is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    per_hour: Decimal
    currency: str
    date: str
    source: str


class Gpu(BaseModel):
    """One kind of GPU. ``memory`` in GB, ``bandwidth`` of the memory in GB/s, ``watts`` at most.

    ``consumer``: made for people's own computers; its driver's licence excludes data centres.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    memory: int
    bandwidth: int
    watts: int
    consumer: bool = False
    prices: tuple[Typical, ...] = ()

    @property
    def bytes(self) -> int:
        """Its memory. Makers count in GiB; the difference is about what the driver and ECC keep."""
        return self.memory * GB


class _Table(BaseModel):
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """A name as people, clouds and nvidia-smi write it, without what differs: ``a100`` and 80."""

    key: str
    memory: int | None = None


@cache
def gpus() -> tuple[Gpu, ...]:
    """The whole table, the smallest first."""
    place = Path(str(files("poorwill.advisor").joinpath("gpus.yaml")))
    table = _Table.model_validate(read_document(place, {}).value)
    return tuple(sorted(table.gpus, key=lambda gpu: gpu.memory))


def called(text: str) -> Called:
    """What ``NVIDIA A100-SXM4-80GB``, ``rtx 4090`` or ``A10G-24GB`` mean."""
    joined = re.sub(r"(\d)\s+(gi?b)\b", r"\1\2", text.lower())
    key, memory = "", None
    for word in re.findall(r"[a-z0-9]+", joined):
        if found := _MEMORY.fullmatch(word):
            memory = int(found[1])
        else:
            key += _NOISE.sub("", word)
    return Called(key, memory)


def known(text: str) -> Gpu | None:
    """The one of this name; None when the table has none, or several and the memory was not said."""
    found = _matches(called(text))
    return found[0] if len(found) == 1 else None


def find(text: str) -> Gpu:
    """The one of this name. Raises BadInput, with what was probably meant, when it is not just one."""
    wanted = called(text)
    if len(found := _matches(wanted)) == 1:
        return found[0]
    if found:
        raise BadInput(f"there are several {text}", hint=f"write {_either([gpu.name for gpu in found])}")
    if same := _matches(Called(wanted.key)):
        names = _either([f"{gpu.name}, which has {gpu.memory}GB" for gpu in same])
        raise BadInput(f"no GPU {text!r} is known", hint=f"did you mean {names}?")
    near = difflib.get_close_matches(wanted.key, [called(gpu.name).key for gpu in gpus()], n=1, cutoff=0.5)
    guess = next((gpu.name for gpu in gpus() if near and called(gpu.name).key == near[0]), None)
    hint = f"did you mean {guess}?" if guess else "`poorwill gpus` lists those that are known"
    raise BadInput(f"no GPU {text!r} is known", hint=hint)


def typical(gpu: str, provider: str | None = None, currency: str | None = None) -> Typical | None:
    """A price to count with when nobody said one: the middle one of those in the table, of one currency
    (of an even number the dearer of the two in the middle).

    Without ``currency`` that is USD where there is a price in USD. None: none is known.
    """
    card = known(gpu)
    prices = [
        price
        for price in (card.prices if card else ())
        if provider in (None, price.provider) and currency in (None, price.currency)
    ]
    if not prices:
        return None
    currencies = [price.currency for price in prices]
    chosen = "USD" if "USD" in currencies else currencies[0]
    ordered = sorted((one for one in prices if one.currency == chosen), key=lambda one: one.per_hour)
    return ordered[len(ordered) // 2]


def priced(gpu: str, cloud: str, currency: str) -> Price | None:
    """The typical price as a price to bill by: at this cloud if the table has it, and in this currency if it
    can be (empty: in any). None: none is known.

    Blocks: the table is read from a file the first time.
    """
    ways = [(cloud or None, currency or None), (cloud or None, None), (None, currency or None), (None, None)]
    found = next((price for place, unit in ways if (price := typical(gpu, place, unit))), None)
    if found is None:
        return None
    source = f"{found.provider}, {found.date}: {found.source}"
    return Price(found.currency, found.per_hour, gpu=gpu, typical=True, source=source)


def _matches(wanted: Called) -> list[Gpu]:
    every = [(called(gpu.name), gpu) for gpu in gpus()]
    return [gpu for one, gpu in every if one.key == wanted.key and wanted.memory in (None, gpu.memory)]


def _either(words: Sequence[str]) -> str:
    return " or ".join(words)
