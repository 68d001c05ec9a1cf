"""How much of a GPU's memory a language model needs, and whether that fits.

    needed  = weights + cache + runtime
    weights = parameters x bits / 8, the bits of the format with what it keeps beside the weights; formats
              that leave the word lists at both ends alone count those with 16 bits
    cache   = 2 x layers x key-value heads x size of a head x bytes x context x users
    runtime = 1 GB (driver, libraries) + 5 % of the weights (what one step computes with)

It fits when 90 % of the memory are enough: the rest is for peaks and for what a server keeps free.
``tests/advisor/test_fit.py`` holds this against published measurements.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from enum import StrEnum

from poorwill.advisor.models import Model, of_size
from poorwill.core.memory import GB
from poorwill.errors import BadInput

SAFE = 0.9
"""The part of a GPU's memory that is counted on."""
ENOUGH = 12 * GB
"""Below this much a language model of one's own is a disappointment: the small ones, and little context."""
_FIXED, _PER_WEIGHT = 1.0 * GB, 0.05
_MOST = 8


@dataclass(frozen=True, slots=True)
class Format:
    """``bits`` per weight. ``ends``: the word lists at both ends are quantised too."""

    name: str
    bits: float
    ends: bool = True


FORMATS = (
    Format("fp16", 16.0),
    Format("fp8", 8.0, ends=False),
    Format("int8", 8.25, ends=False),
    Format("int4", 4.25, ends=False),
    Format("q8_0", 8.5008),
    Format("q6_k", 6.5633),
    Format("q5_k_m", 5.7036),
    Format("q4_k_m", 4.8944),
    Format("q3_k_m", 3.9960),
    Format("q2_k", 3.1593),
)
"""The ones with a ``q``: bits measured by llama.cpp on Llama 3.1 8B (tools/quantize/README.md). ``int8`` and
``int4`` are GPTQ and AWQ with a scale for every 128 weights."""
_SAME = {
    "bf16": "fp16",
    "f16": "fp16",
    "16bit": "fp16",
    "w8a8": "int8",
    "gptq-int8": "int8",
    "8bit": "int8",
    "awq": "int4",
    "gptq": "int4",
    "gptq-int4": "int4",
    "w4a16": "int4",
    "q8": "q8_0",
    "q6": "q6_k",
    "q5": "q5_k_m",
    "q4": "q4_k_m",
    "4bit": "q4_k_m",
    "q3": "q3_k_m",
    "q2": "q2_k",
}


class Verdict(StrEnum):
    """``tight``: between 90 and 100 % of the memory; it may start and then run out."""

    FITS = "fits"
    TIGHT = "tight"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Need:
    """In bytes."""

    weights: float
    cache: float
    runtime: float

    @property
    def total(self) -> float:
        return self.weights + self.cache + self.runtime

    def on(self, memory: float) -> Verdict:
        """Whether it fits on one GPU with this much."""
        if self.total <= SAFE * memory:
            return Verdict.FITS
        return Verdict.TIGHT if self.total <= memory else Verdict.NO

    def cards(self, memory: float) -> int | None:
        """How many equal GPUs hold it together; None: more than eight. Each has a runtime of its own."""
        rest = self.weights * (1 + _PER_WEIGHT) + self.cache
        room = SAFE * memory - _FIXED
        count = math.ceil(rest / room) if room > 0 else _MOST + 1
        return count if count <= _MOST else None


def quantisation(text: str) -> Format:
    """``fp16``, ``int8``, ``q4`` … as people write it. Raises BadInput with what was probably meant."""
    plain = text.strip().lower().replace(" ", "").replace("-bit", "bit")
    plain = _SAME.get(plain, plain)
    found = next((one for one in FORMATS if one.name == plain), None)
    if found is not None:
        return found
    near = difflib.get_close_matches(plain, [*_SAME, *(one.name for one in FORMATS)], n=1)
    known = ", ".join(one.name for one in FORMATS)
    hint = f"did you mean {near[0]}?" if near else f"there are {known}"
    raise BadInput(f"no quantisation {text!r} is known", hint=hint)


def need(model: Model, form: Format, context: int, users: int = 1) -> Need:
    """``context`` is tokens per user, question and answer together."""
    ends = 0 if form.ends else model.embedding
    weights = ((model.parameters - ends) * form.bits + ends * 16) / 8
    return _with_cache(weights, model, context, users)


def need_of_file(weights: int, form: Format, context: int, users: int = 1) -> Need:
    """For weights of which only the size in bytes is known; the format says how many they may be."""
    return _with_cache(weights, of_size(weights * 8 / form.bits), context, users)


def _with_cache(weights: float, model: Model, context: int, users: int) -> Need:
    return Need(weights, model.cache_per_token() * context * users, _FIXED + _PER_WEIGHT * weights)
