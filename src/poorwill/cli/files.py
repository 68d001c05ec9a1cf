"""``init``, ``check`` and ``schema``: the configuration before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from poorwill.cli.options import FILE, FileArgument, SameFile, read
from poorwill.errors import BadInput, ConfigError


def register(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(check)
    app.command()(schema)


def init(
    file: Annotated[Path, typer.Argument(help="Where to write it.")] = FILE,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented poorwill.yaml to begin with."""
    from importlib.resources import files

    if file.exists() and not force:
        raise BadInput(f"{file} exists already", hint="choose another name, or overwrite it with --force")
    text = files("poorwill.config").joinpath("starter.yaml").read_text(encoding="utf-8")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}") from error
    typer.echo(f"{file} is written. Next: edit it, `poorwill check {file}`, `poorwill up {file}`.")


def check(file: FileArgument = FILE, same: SameFile = None) -> None:
    """Check the configuration: every problem with its line, or what it means in words."""
    file = same or file
    from poorwill import clock
    from poorwill.advisor.gpus import priced
    from poorwill.cli.describe import describe
    from poorwill.config.load import in_place
    from poorwill.control.uncountable import gaps

    settings = read(file)
    if found := [(gap.loc, gap.what, gap.hint) for gap in gaps(settings, priced)]:
        raise ConfigError(in_place(file, found))
    typer.echo(f"{file} is fine. Visitors come in at http://{settings.listen}.")
    for line in describe(settings, clock.now().wall):
        typer.echo(line)


def schema() -> None:
    """Print the JSON Schema of poorwill.yaml, for editors."""
    from poorwill.config import json_schema
    from poorwill.providers.registry import option_models

    typer.echo(json.dumps(json_schema(option_models()), indent=2, ensure_ascii=False))
