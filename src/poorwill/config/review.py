"""The ``review:`` section: whether each month is looked back on by itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReviewConfig(BaseModel):
    """What becomes of a month when it is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    monthly: bool = Field(
        default=False,
        description="Whether on the 1st at 06:00 a review of the month before is written into the folder "
        "reviews of the state folder.",
    )
    lang: Literal["en", "zh"] | None = Field(
        default=None, description="Its language. Default: that of the system."
    )
    formats: tuple[Literal["html", "markdown"], ...] = Field(
        default=("html", "markdown"), min_length=1, description="What it is written as."
    )
