"""The command ``poorwill``: exit code 0 when fine, 1 when it ran and failed, 2 for bad input."""

from __future__ import annotations

import os
import sys

import typer

from poorwill.cli import (
    clouds,
    cost,
    estimate,
    files,
    gpus,
    password,
    people,
    prices,
    program,
    review,
    show,
)
from poorwill.errors import PoorwillError

app = typer.Typer(
    name="poorwill",
    help="Lets a self-hosted AI service sleep until somebody needs it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for module in (files, program, people, show, cost, review, estimate, gpus, prices, clouds, password):
    module.register(app)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from poorwill import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; what a person can act on is printed, not raised."""
    try:
        app()
    except PoorwillError as error:
        print(f"poorwill: {error}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # `poorwill events | head`: the reader has enough. Keep the interpreter from failing again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        print(f"poorwill: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
