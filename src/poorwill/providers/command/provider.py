"""The provider ``command``: scripts where the service lives."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from poorwill.providers.base import Surroundings
from poorwill.providers.shell.local import LocalShell
from poorwill.providers.shell.options import ScriptOptions
from poorwill.providers.shell.service import ScriptProvider


class Options(ScriptOptions):
    """Your own scripts, run on this host or, with `on:`, on the machine that the service lives on."""


class CommandProvider(ScriptProvider):
    """See ``ScriptProvider``."""

    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, options: ScriptOptions, around: Surroundings) -> None:
        super().__init__(options, around, around.shell or LocalShell(), here=around.shell is None)
