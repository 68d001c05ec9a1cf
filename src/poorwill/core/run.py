"""Starts at an hour without a window: jobs (``until: done``) and early wakes (``until: idle``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from poorwill.core.localtime import day_of
from poorwill.core.pattern import DAY, LONGEST
from poorwill.core.rule import Rule


@dataclass(frozen=True, slots=True)
class Run:
    """``kind`` says when it is over; ``missed`` what becomes of a start that nobody could make.

    Nothing runs on the dates in ``closed``. Moments are seconds since the epoch.
    """

    kind: Literal["done", "idle"]
    missed: Literal["run", "skip"]
    rule: Rule
    zone: str
    closed: frozenset[date] = frozenset()
    _memo: list[tuple[float | None, float | None]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    @property
    def text(self) -> str:
        """The line as it was written."""
        return self.rule.text

    def last_due(self, wall: float) -> float | None:
        """The latest scheduled start at or before this moment; None when there is none for years."""
        return self._around(wall)[0]

    def next_due(self, wall: float) -> float | None:
        """The first scheduled start after this moment; None when there is none for years."""
        return self._around(wall)[1]

    def due(self, wall: float, end: float) -> tuple[float, ...]:
        """Every start after ``wall`` and before ``end``."""
        first, last = day_of(wall, self.zone), day_of(end, self.zone)
        days = (first + ahead * DAY for ahead in range(-1, (last - first).days + 2))
        return tuple(moment for moment in self._on(days) if wall < moment < end)

    def _around(self, wall: float) -> tuple[float | None, float | None]:
        for last, following in self._memo:
            if last is not None and following is not None and last <= wall < following:
                return last, following
        today = day_of(wall, self.zone)
        # The neighbours in one go: a change of the clocks at midnight may move a start into the next day.
        near = self._on(today + ahead * DAY for ahead in (-1, 0, 1))
        last = max((moment for moment in near if moment <= wall), default=None)
        following = min((moment for moment in near if moment > wall), default=None)
        far = range(2, LONGEST)
        if last is None:
            days = (self._on([today - back * DAY]) for back in far)
            last = next((found[-1] for found in days if found), None)
        if following is None:
            days = (self._on([today + ahead * DAY]) for ahead in far)
            following = next((found[0] for found in days if found), None)
        self._memo[:] = [(last, following)]
        return last, following

    def _on(self, days: Iterable[date]) -> list[float]:
        moments = {
            start
            for day in days
            if day not in self.closed
            for window in self.rule.on(day)
            for start, _ in self.rule.pattern.spans(window, self.zone)
        }
        return sorted(moments)
