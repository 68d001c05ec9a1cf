"""Amounts of memory as people write them in poorwill.yaml."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected
from poorwill.core.memory import memory_text

_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_WHAT = "an amount of memory such as 10GB"


def parse_memory(value: object) -> int:
    """Bytes of ``10GB``, ``1.5 GiB`` or ``800MB``; a GB is 10⁹ bytes, a GiB is 2³⁰."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise expected(_WHAT)
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        raise expected("an amount of memory with its unit", f"write {text}GB")
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]i?b)", text.lower(), re.ASCII)
    if match is None:
        shown = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]i?)", text.lower(), re.ASCII)
        raise expected(_WHAT, f"write {text}B" if shown else "the units are MB, GB, MiB and GiB")
    amount = round(float(match[1]) * _UNITS[match[2]])
    if not amount:
        raise expected("an amount of memory above 0")
    return amount


Memory = Annotated[
    int,
    PlainValidator(parse_memory),
    PlainSerializer(memory_text, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+(\.\d+)? ?[kKmMgGtT]i?B$", "examples": ["10GB", "800MB"]}
    ),
]
"""Bytes; written as text with a unit."""
