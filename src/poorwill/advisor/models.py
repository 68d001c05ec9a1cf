"""Language models as far as their memory goes: how many weights, and how much each token of context takes."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from poorwill.errors import BadInput

BILLION = 10**9


@dataclass(frozen=True, slots=True)
class Model:
    """``parameters`` in all, experts that rest included. ``layers``, ``kv_heads`` and ``head_dim`` say what
    the cache of a token takes. ``embedding`` of the parameters are the word lists at both ends, which most
    8-bit and 4-bit formats leave at 16 bits; 0: not known.
    """

    name: str
    parameters: int
    layers: int
    kv_heads: int
    head_dim: int = 128
    embedding: int = 0

    def cache_per_token(self, bytes_each: float = 2) -> float:
        """Bytes: a key and a value for each layer and head."""
        return 2 * self.layers * self.kv_heads * self.head_dim * bytes_each


def _model(
    name: str, billions: float, layers: int, kv_heads: int, words: int, width: int, *, tied: bool = False
) -> Model:
    ends = words * width * (1 if tied else 2)
    return Model(name, round(billions * BILLION), layers, kv_heads, embedding=ends)


KNOWN = (
    _model("llama-3.2-3b", 3.21, 28, 8, 128_256, 3072, tied=True),
    _model("llama-3-8b", 8.03, 32, 8, 128_256, 4096),
    _model("llama-3-70b", 70.6, 80, 8, 128_256, 8192),
    _model("mistral-7b", 7.25, 32, 8, 32_768, 4096),
    _model("mixtral-8x7b", 46.7, 32, 8, 32_000, 4096),
    _model("qwen2.5-3b", 3.09, 36, 2, 151_936, 2048, tied=True),
    _model("qwen2.5-7b", 7.62, 28, 4, 152_064, 3584),
    _model("qwen2.5-14b", 14.77, 48, 8, 152_064, 5120),
    _model("qwen2.5-32b", 32.76, 64, 8, 152_064, 5120),
    _model("qwen2.5-72b", 72.71, 80, 8, 152_064, 8192),
    _model("qwen3-8b", 8.19, 36, 8, 151_936, 4096),
    _model("qwen3-14b", 14.77, 40, 8, 151_936, 5120),
    _model("qwen3-32b", 32.76, 64, 8, 151_936, 5120),
    _model("qwen3-30b-a3b", 30.53, 48, 4, 151_936, 2048),
)
"""Read from the ``config.json`` and the model card of each on Hugging Face."""

_SHAPES = ((2, 28, 4), (4, 36, 8), (9, 36, 8), (15, 48, 8), (35, 64, 8))
"""Up to so many billions of parameters: layers and key-value heads. The most that is common at that size."""
_LARGEST = (80, 8)


def of_size(parameters: float) -> Model:
    """A model of which only the size is known, with the largest cache that is common at that size."""
    billions = parameters / BILLION
    layers, heads = next(((layers, heads) for most, layers, heads in _SHAPES if billions <= most), _LARGEST)
    return Model(f"{billions:g}B", round(parameters), layers, heads)


def model(text: str) -> Model:
    """``7B``, ``0.5B``, or one by name: ``qwen2.5-7b``, ``Qwen/Qwen2.5-7B-Instruct``. Raises BadInput."""
    plain = text.strip().lower()
    if size := re.fullmatch(r"(\d+(?:\.\d+)?) ?b", plain):
        if not float(size[1]):
            raise BadInput("a model of 0B has no weights", hint="write its size, such as 7B")
        return of_size(float(size[1]) * BILLION)
    name = re.sub(r"[\s_:]+", "-", plain.rpartition("/")[2])
    name = re.sub(r"^(?:meta-)?llama-?3(?:\.[13])?-", "llama-3-", name)
    fits = [one for one in KNOWN if name == one.name or name.startswith(f"{one.name}-")]
    if fits:
        return max(fits, key=lambda one: len(one.name))
    near = difflib.get_close_matches(name, [one.name for one in KNOWN], n=1, cutoff=0.7)
    guess = f"did you mean {near[0]}? Or write" if near else "write"
    raise BadInput(f"no model {text!r} is known", hint=f"{guess} its size, such as 7B")
