"""A small provider of the tests' own, and the shapes of the fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from poorwill.config import Settings
from poorwill.errors import Problem

SettingsOf = Callable[..., Settings]
ProblemsOf = Callable[..., list[Problem]]


class Options(BaseModel):
    """What the tests' provider ``process`` accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: list[str] = Field(min_length=1, description="The command and its arguments.")
    env: dict[str, str] = Field(default_factory=dict, description="Environment of the command.")
    size: int = Field(default=1, ge=1, le=9, description="A number.")

    @property
    def gives_address(self) -> bool:
        return any("{port}" in word for word in self.command)

    @property
    def gives_exit_code(self) -> bool:
        return "NO_EXIT_CODE" not in self.env

    @property
    def several(self) -> str:
        return "" if "ONE" not in self.env else "there is only one of it"

    @field_validator("command")
    @classmethod
    def _not_false(cls, value: list[str]) -> list[str]:
        if value == ["false"]:
            raise ValueError("The command does nothing")
        return value


STARTER = files("poorwill.config").joinpath("starter.yaml").read_text(encoding="utf-8")
PROVIDERS: Mapping[str, type[BaseModel]] = {"process": Options}


def wrong_files(*files: Path) -> Iterator[Any]:
    """Each section of these: a name, a poorwill.yaml, and its problems as they are printed."""
    for file in files:
        for section in file.read_text(encoding="utf-8").split("=== ")[1:]:
            name, _, rest = section.partition("\n")
            text, _, problems = rest.partition("--- problems\n")
            yield pytest.param(text, problems.split("\n"), id=f"{file.stem}: {name}")
