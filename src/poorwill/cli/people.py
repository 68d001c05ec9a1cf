"""``wake``, ``sleep``, ``auto`` and ``adopt``: a person's demand, and giving it back."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import typer

from poorwill.cli.options import FILE, File, Name, find
from poorwill.errors import BadInput

During = Annotated[
    str | None, typer.Option("--during", help="Hours to come, such as 'Saturday 10:00-14:00'.")
]


def register(app: typer.Typer) -> None:
    app.command()(wake)
    app.command()(sleep)
    app.command()(auto)
    app.command()(adopt)


def wake(
    name: Name,
    file: File = FILE,
    span: Annotated[str | None, typer.Option("--for", help="How long, such as 2h.")] = None,
    during: During = None,
) -> None:
    """Wake a service and keep it awake, for a time or until `auto`; a job runs once.

    With --during nothing happens now: the service will be awake in those hours.
    """
    if during is not None:
        if span is not None:
            raise BadInput("--for and --during exclude each other", hint="--during says both hours")
        _plan(name, file, "wake", during)
        return
    seconds = _seconds(span)
    row = _say(name, file, "wake", {"seconds": seconds})
    if any(one["in_force"] and one["at_limit"] == "closed" for one in row["budgets"]):
        from poorwill.cli.budgets import stays_closed

        raise stays_closed(row, ZoneInfo(find(file).timezone))
    if row["kind"] == "job" and not span:
        typer.echo(f"{name} runs once.")
        return
    end = f"for {span}" if span else f"until you say `poorwill auto {name}`"
    typer.echo(f"{name} is woken and kept awake {end}.")


def sleep(name: Name, file: File = FILE, during: During = None) -> None:
    """Put a service to sleep until its next window (a job: until `auto`); requests do not wake it.

    Work in flight is waited for. With --during nothing happens now: it will be asleep in those hours.
    """
    if during is not None:
        _plan(name, file, "sleep", during)
        return
    said = _say(name, file, "sleep", {})
    until = said["hand_until"]
    end = f"until {_local(until, file)}, or" if until else "until"
    typer.echo(f"{name} is put to sleep and stays so {end} you say `poorwill auto {name}`.")


def auto(name: Name, file: File = FILE) -> None:
    """Give back what `wake` or `sleep` demanded or planned: hours and requests decide again."""
    _say(name, file, "auto", {})
    typer.echo(f"{name} decides for itself again.")


def adopt(name: Name, file: File = FILE) -> None:
    """Let Poorwill stop a service that runs although somebody else started it.

    It holds until that instance has ended. `adopt: true` in poorwill.yaml holds for all that come.
    """
    _say(name, file, "adopt", {})
    typer.echo(f"{name} is Poorwill's now: it sleeps when nobody needs it.")


def _say(name: str, file: Path, what: str, body: dict[str, Any]) -> dict[str, Any]:
    from poorwill.cli.client import Client

    place = find(file)
    path = f"/api/v1/services/{quote(name, safe='')}/{what}"
    row: dict[str, Any] = Client(place.state).post(path, {**body, "by": f"by {getpass.getuser()}"})
    return row


def _plan(name: str, file: Path, kind: str, during: str) -> None:
    row = _say(name, file, "plan", {"kind": kind, "during": during})
    plan = row["plans"][-1]
    hours = f"from {_local(plan['start'], file)} to {_local(plan['stop'], file)}"
    state = "awake" if kind == "wake" else "asleep"
    typer.echo(f"{name} will be {state} {hours}. `poorwill auto {name}` takes it back.")


def _local(stamp: str, file: Path) -> str:
    at = datetime.fromisoformat(stamp).astimezone(ZoneInfo(find(file).timezone))
    return at.strftime("%a %d %b %H:%M")


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
