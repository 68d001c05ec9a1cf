"""What an instance is called, and what of that people may write into commands, names and addresses.

An instance's id is ``NAME-1``, ``NAME-2`` and so on, where NAME is its service's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from poorwill.core.model import Condition
from poorwill.errors import ProviderError
from poorwill.providers.base import Sighting

INSTANCE = "{instance}"
"""Stands for the whole id, such as ``kb-2``."""

NUMBER = "{number}"
"""Stands for the number alone: 1, 2, 3 …"""

INDEX = "{index}"
"""Stands for the number counted from 0, as GPUs are."""

NAMES = frozenset({"instance", "number", "index"})
"""The same without braces."""

_PLACEHOLDER = re.compile(r"(?<!\$)\{(instance|number|index)\}")
# Not ${number}: that is a variable of a shell.


def named(service: str, number: int) -> str:
    return f"{service}-{number}"


def number_of(instance: str) -> int | None:
    """None for an id that does not end with a number."""
    digits = instance.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and digits.isascii() else None


def values(instance: str) -> Mapping[str, str]:
    """What the placeholders mean for this instance, by their names without braces."""
    number = number_of(instance)
    numbers = {} if number is None else {"number": str(number), "index": str(number - 1)}
    return {"instance": instance, **numbers}


def filled(text: str, instance: str) -> str:
    known = values(instance)
    return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)


def meant(pattern: str, text: str, service: str) -> str | None:
    """The instance for which the pattern becomes this text; None when there is none."""
    parts = _PLACEHOLDER.split(pattern)  # text and placeholders in turn
    match = re.fullmatch("(.+)".join(map(re.escape, parts[::2])), text)
    if match is None or not match.groups():
        return None
    kind, said = parts[1], match[1]
    if kind != "instance":
        if not (said.isdecimal() and said.isascii()):
            return None
        said = named(service, int(said) + (kind == "index"))
    return said if filled(pattern, said) == text and number_of(said) != 0 else None


def tells_apart(texts: Iterable[str]) -> bool:
    """Whether any of these is another one for each instance."""
    return any(_PLACEHOLDER.search(text) for text in texts)


def told_apart(instances: Sequence[str], answers: Sequence[Sighting | BaseException]) -> list[Sighting]:
    """What is seen of several instances, each asked about for itself.

    One that could not be asked about is UNKNOWN. Raises what was raised when there is no other to be seen.
    """
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    worse = [error for error in errors if not isinstance(error, ProviderError)]
    if worse or (errors and len(errors) == len(answers)):
        raise (worse or errors)[0]
    return [
        Sighting(instance, Condition.UNKNOWN, detail=str(answer))
        if isinstance(answer, BaseException)
        else answer
        for instance, answer in zip(instances, answers, strict=True)
    ]
