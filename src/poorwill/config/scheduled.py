"""What services and machines have in common: a name, a price, and hours in a time zone."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from poorwill.config.budget import Budgets
from poorwill.config.price import PriceConfig
from poorwill.config.schedule import ScheduleEntry, timetable
from poorwill.core.budget import Budget
from poorwill.core.schedule import Timetable


class Scheduled(BaseModel):
    """One entry below ``services`` or ``machines``. Settings alone knows its name and the file's zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: PriceConfig | None = Field(
        default=None,
        description="What it costs while it is there: {per_hour: 3.90}, or {watts: 350, per_kwh: 0.62} for "
        "hardware of your own.",
    )
    budget: Budgets = Field(
        default=(),
        description="How many hours or how much money it may take: {hours: 100, at_limit: closed}, or a list "
        "of such keys.",
    )

    _name: str = PrivateAttr(default="")
    _zone: str = PrivateAttr(default="UTC")
    _timetable: Timetable | None = PrivateAttr(default=None)
    _bounds: tuple[Budget, ...] = PrivateAttr(default=())

    @property
    def name(self) -> str:
        """The key it stands below; empty outside Settings."""
        return self._name

    @property
    def zone(self) -> str:
        """The time zone of its hours."""
        return self._zone

    @property
    def timetable(self) -> Timetable | None:
        """The schedule in its time zone; None when there is none."""
        return self._timetable

    @property
    def bounds(self) -> tuple[Budget, ...]:
        """The budgets that bind it: its own, those of what it needs or runs on, those for everything."""
        return self._bounds

    def is_bound_by(self, budgets: tuple[Budget, ...]) -> None:
        """For Settings, which alone knows those of the others."""
        self._bounds = budgets

    def _keep(self, name: str, zone: str, schedule: Sequence[ScheduleEntry]) -> None:
        self._name, self._zone = name, zone
        self._timetable = timetable(schedule, zone)
