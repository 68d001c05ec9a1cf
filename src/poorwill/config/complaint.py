"""What validators say about a value, so that ``explain`` can turn it into words with a place.

Validators raise these instead of ValueError, because they carry a hint, and because the value itself is
added later, as it stands in the file: a value that came from the environment is never printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Loc = tuple[str | int, ...]
"""A path of keys and list positions, outermost first, as pydantic writes it."""


def expected(what: str, hint: str = "") -> PydanticCustomError:
    """The value is not ``what``: becomes "expected a duration such as 90s or 10m, got 'soon'"."""
    return PydanticCustomError("expected", "expected {what}", {"what": what, "hint": hint})


def wrong(
    message: str, hint: str = "", *, other: Loc | None = None, about: Sequence[Loc] = ()
) -> PydanticCustomError:
    """The value is understood but cannot stay.

    ``other`` is a second place to name. ``about`` are the values this rests on: when one of them has a
    problem of its own, only that one is reported. Both are paths below the model that complains.
    """
    context = {"message": message, "hint": hint, "other": other, "about": tuple(about)}
    return PydanticCustomError("wrong", "{message}", context)


def all_of(complaints: Sequence[tuple[Loc, PydanticCustomError, Any]]) -> ValidationError:
    """Several complaints as one error to raise; each is (path below the current model, error, value)."""
    lines = [
        InitErrorDetails(type=_deep(error, len(loc)), loc=loc, input=value)
        for loc, error, value in complaints
    ]
    return ValidationError.from_exception_data("poorwill.yaml", lines)


def _deep(error: PydanticCustomError, depth: int) -> PydanticCustomError:
    # How many parts of the final path lie below the model that complains: what is before is its own path.
    return PydanticCustomError(error.type, error.message_template, {**(error.context or {}), "depth": depth})
