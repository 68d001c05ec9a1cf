"""The ``target:`` of a scale policy: how much each instance should have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from poorwill.config.claims import Complaint
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.threshold import threshold
from poorwill.config.units import Duration, at_least
from poorwill.core.metric import METRICS, Unit
from poorwill.core.target_mode import Target

UTILIZATION = 0.7
"""How much of its ``concurrency`` an instance should have at work when no target says it."""
PANIC = 2.0
"""Twice as many instances as there are: that is how many a sudden rise has to need."""


def _rate(value: Any) -> float:
    return threshold(value, Unit.PER_SECOND)


def _percent(value: Any) -> float:
    share = threshold(value, Unit.PERCENT)
    if not share:
        raise expected("a percentage such as 200%", "more than 0%")
    return share / 100


_Percent = Annotated[
    float, BeforeValidator(_percent), WithJsonSchema({"type": "string", "examples": ["200%"]})
]


class TargetConfig(BaseModel):
    """How much each instance should have. Poorwill finds the number of instances by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: float | None = Field(
        default=None, gt=0, description="Requests that each instance should have open at a time, on average."
    )
    request_rate: (
        Annotated[float, BeforeValidator(_rate), WithJsonSchema({"type": "string", "examples": ["10/s"]})]
        | None
    ) = Field(default=None, description="Requests that each instance should get, such as 10/s.")
    stable_window: Annotated[Duration, at_least(6)] = Field(
        default=60.0, description="Time over which the load is averaged as a rule."
    )
    panic_window: Annotated[Duration, at_least(1)] | None = Field(
        default=None,
        description="Time over which it is averaged to notice a sudden rise. Default: a tenth of "
        "stable_window.",
    )
    panic_threshold: _Percent | None = Field(
        default=None,
        description="How much more than there is a sudden rise has to need before it is answered at once. "
        "Default: 200%, twice as many instances.",
    )
    max_scale_up_rate: float = Field(
        default=1000.0, gt=1, description="At most so many times as many instances in one step."
    )
    max_scale_down_rate: float = Field(
        default=2.0, gt=1, description="At least this part of them stays in one step: 2 is the half."
    )

    def target(self, cooldown: float | None) -> Target:
        """What the core needs to know."""
        name, each = self.aims[0]
        return Target(
            METRICS[name],
            each,
            stable=self.stable_window,
            panic=self.panic_window or self.stable_window / 10,
            panic_threshold=self.panic_threshold or PANIC,
            up_rate=self.max_scale_up_rate,
            down_rate=self.max_scale_down_rate,
            cooldown=cooldown,
        )

    @property
    def aims(self) -> list[tuple[str, float]]:
        """The metrics that have a target; exactly one."""
        given = {"concurrency": self.concurrency, "request_rate": self.request_rate}
        return [(name, each) for name, each in given.items() if each is not None]

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, value: Any) -> Any:
        if not isinstance(value, dict | TargetConfig):
            raise expected("a metric with what each instance should have, such as {concurrency: 4}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        found = list(self._complaints())
        if found:
            raise all_of(found)
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if not self.aims:
            about = (("concurrency",), ("request_rate",))
            hint = "write concurrency: 4, or request_rate: 10/s"
            yield (), wrong("nothing says how much each instance should have", hint, about=about), None
        if len(self.aims) > 1:
            error = wrong(
                "request_rate has no use beside concurrency", "leave one out", other=("concurrency",)
            )
            yield ("request_rate",), error, None
        if self.request_rate == 0:
            yield ("request_rate",), expected("a rate such as 10/s", "more than 0"), None
        if self.panic_window is not None and self.panic_window > self.stable_window:
            hint = "the panic window is the shorter one"
            error = wrong("panic_window is longer than stable_window", hint, other=("stable_window",))
            yield ("panic_window",), error, None
