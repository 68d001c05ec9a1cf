"""``wake``, ``sleep`` and ``auto``: a person's demand, and giving it back."""

from __future__ import annotations

import getpass
from typing import Annotated, Any
from urllib.parse import quote

import typer

from poorwill.cli.options import FILE, File, Name, find
from poorwill.errors import BadInput


def register(app: typer.Typer) -> None:
    app.command()(wake)
    app.command()(sleep)
    app.command()(auto)


def wake(
    name: Name,
    file: File = FILE,
    span: Annotated[str | None, typer.Option("--for", help="How long, such as 2h.")] = None,
) -> None:
    """Wake a service and keep it awake, for a time or until `auto`."""
    seconds = _seconds(span)
    _say(name, file, "wake", {"seconds": seconds})
    end = f"for {span}" if span else f"until you say `poorwill auto {name}`"
    typer.echo(f"{name} is woken and kept awake {end}.")


def sleep(name: Name, file: File = FILE) -> None:
    """Put a service to sleep until `auto`; requests do not wake it. Work in flight is waited for."""
    _say(name, file, "sleep", {})
    typer.echo(f"{name} is put to sleep and stays so until you say `poorwill auto {name}`.")


def auto(name: Name, file: File = FILE) -> None:
    """Give back what `wake` or `sleep` demanded: requests decide again."""
    _say(name, file, "auto", {})
    typer.echo(f"{name} decides for itself again.")


def _say(name: str, file: Any, what: str, body: dict[str, Any]) -> None:
    from poorwill.cli.client import Client

    place = find(file)
    path = f"/api/v1/services/{quote(name, safe='')}/{what}"
    Client(place.state).post(path, {**body, "by": f"by {getpass.getuser()}"})


def _seconds(span: str | None) -> float | None:
    from poorwill.config.units import parse_duration

    if span is None:
        return None
    try:
        seconds = parse_duration(span)
    except ValueError as error:
        raise BadInput(f"--for {span}: {error}", hint="write 30m or 2h") from error
    if seconds <= 0:
        raise BadInput("--for must be longer than nothing", hint="write 30m or 2h")
    return seconds
