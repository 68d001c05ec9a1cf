"""What became of those who came to a service while it could not take them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """``waited`` had to wait for a start and got in, after ``seconds`` together and ``longest`` at most.
    ``gave_up`` left before, ``refused`` were sent away with a time to come again.
    """

    waited: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    gave_up: int = 0
    refused: int = 0

    def __bool__(self) -> bool:
        return bool(self.waited or self.gave_up or self.refused)

    def plus(self, other: Waits) -> Waits:
        return Waits(
            self.waited + other.waited,
            self.seconds + other.seconds,
            max(self.longest, other.longest),
            self.gave_up + other.gave_up,
            self.refused + other.refused,
        )
