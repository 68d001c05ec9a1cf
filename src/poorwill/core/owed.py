"""What a debt is made of: why something may be there and cost money for nothing, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why an instance may be there, and billed, although nobody needs it: a stop does not succeed, somebody
    else started it, or nobody can tell.
    """

    STOP = "stop"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Owed:
    """A debt that stands open, since when, and for which instance (empty: it is not known any more)."""

    cause: Cause
    since: float
    instance: str = ""
