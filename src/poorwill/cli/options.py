"""Options that several commands share, and what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from poorwill.config import Settings, Whereabouts

FILE = Path("poorwill.yaml")

File = Annotated[
    Path,
    typer.Option("--file", "-f", envvar="POORWILL_FILE", help="The configuration.", show_default=True),
]
FileArgument = Annotated[
    Path, typer.Argument(envvar="POORWILL_FILE", help="The configuration.", show_default=True)
]
SameFile = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="The same, as other commands have it.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Name = Annotated[str, typer.Argument(help="The service.", show_default=False)]


def find(file: Path) -> Whereabouts:
    """Where the running ``up`` of this configuration is, whatever else stands in it."""
    from poorwill.config import locate

    return locate(file)


def read(file: Path) -> Settings:
    """The configuration; raises ConfigError with every problem in it."""
    from poorwill.config import load
    from poorwill.providers.registry import option_models

    return load(file, option_models())
