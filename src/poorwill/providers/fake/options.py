"""What a user may write below ``run: fake:``, and the moods that fill in the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from poorwill.config.units import Duration

StartOutcome = Literal["ok", "error", "refused", "no_capacity", "lost", "dies", "nothing", "hang"]
StopOutcome = Literal["ok", "later", "error", "lost", "nothing", "hang"]

MOODS: Mapping[str, Mapping[str, Any]] = {
    "kind": {
        "call_takes": "0s",
        "start_takes": "0s",
        "answers_after": "0s",
        "stop_takes": "3s",
        "list_lag": "0s",
        "starts": ["ok"],
        "stops": ["ok"],
        "dark_every": "0s",
    },
    "cloud": {
        "call_takes": "300ms",
        "start_takes": "20s",
        "answers_after": "5s",
        "stop_takes": "8s",
        "list_lag": "2s",
        "starts": ["ok", "ok", "no_capacity"],
        "stops": ["later"],
        "dark_every": "0s",
    },
    "awful": {
        "call_takes": "2s",
        "start_takes": "30s",
        "answers_after": "10s",
        "stop_takes": "20s",
        "list_lag": "5s",
        "starts": ["no_capacity", "ok", "error", "nothing", "lost", "dies"],
        "stops": ["nothing", "later", "error", "lost"],
        "dark_every": "5m",
    },
}
"""Mood → what holds where the user says nothing. Every mood says the same keys."""


class Options(BaseModel):
    """A place that only plays at being one: for trying Poorwill, dashboards and alerts without a GPU.

    Each instance is a small web server on this host. How the place behaves is a mood, single keys, or a
    file that may change while Poorwill runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mood: Literal["kind", "cloud", "awful"] = Field(
        default="kind",
        description="What holds for the keys below that are left out. kind: all goes well, and at once; "
        "cloud: as with a rented machine; awful: as with a rented machine on a bad day.",
    )
    weather: str | None = Field(
        default=None,
        description="A YAML file with any of these keys (except serve), read before each call: change it and "
        "the place changes. Relative to the folder of poorwill.yaml; it need not exist.",
    )
    serve: bool = Field(
        default=True,
        description="Whether instances answer requests. If not, the service needs an address.",
    )
    call_takes: Duration = Field(default=0.0, description="How long each call to the place takes.")
    start_takes: Duration = Field(default=0.0, description="From a start to a running instance.")
    answers_after: Duration = Field(default=0.0, description="From a running instance to its first answer.")
    stop_takes: Duration = Field(
        default=3.0, description="From a stop to an instance that is gone, for stops of the kind later."
    )
    list_lag: Duration = Field(default=0.0, description="How late the place tells what became of a call.")
    ends_after: Duration = Field(
        default=0.0, description="When an instance ends by itself, counted from its first answer; 0s: never."
    )
    exit_code: int = Field(default=0, ge=0, le=255, description="The exit code of one that ends by itself.")
    starts: Annotated[tuple[StartOutcome, ...], Field(min_length=1)] = Field(
        default=("ok",), description="What comes of each start, in turn, and then again from the first."
    )
    stops: Annotated[tuple[StopOutcome, ...], Field(min_length=1)] = Field(
        default=("ok",), description="What comes of each stop, in turn, and then again from the first."
    )
    capacity: int | None = Field(
        default=None,
        ge=0,
        description="How many instances there is room for; a start beyond it finds no GPU in stock.",
    )
    dark: bool = Field(default=False, description="Whether the place answers no call at all.")
    dark_every: Duration = Field(default=0.0, description="How often the place goes dark; 0s: never.")
    dark_for: Duration = Field(default=30.0, description="For how long it is dark then.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {**MOODS.get(str(given.get("mood", "kind")), {}), **given}

    @property
    def gives_address(self) -> bool:
        """Whether there is something to visit."""
        return self.serve

    @property
    def several(self) -> str:
        """Why there cannot be several instances; empty when each has a port of its own."""
        return "" if self.serve else "with serve: false nothing tells the instances apart: leave serve out"

    @property
    def gives_exit_code(self) -> bool:
        """Always: instances are processes."""
        return True

    def changed_by(self, weather: Mapping[str, Any]) -> Options:
        """With what a weather file says. Raises pydantic's ValidationError."""
        mood = MOODS.get(str(weather.get("mood")), {})
        return Options.model_validate({**self.model_dump(mode="json"), **mood, **weather})
