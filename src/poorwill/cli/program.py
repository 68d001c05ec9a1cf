"""``up``, ``down``, ``reload`` and ``demo``: the program as a whole."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poorwill.cli.options import FILE, File, FileArgument, SameFile, find
from poorwill.errors import NotRunning, PoorwillError

if TYPE_CHECKING:
    from poorwill.store.journal import Event


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)
    app.command()(reload)
    app.command()(demo)


def up(
    file: FileArgument = FILE,
    same: SameFile = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the gateway in the foreground. Ctrl-C puts everything to sleep and ends it.

    SIGTERM ends the control plane only: Envoy and what is awake stay, and the next `up` takes them over.
    SIGHUP reads the configuration again.
    """
    from poorwill.cli.running import run

    run(same or file, verbose=verbose)


def down(
    file: File = FILE,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait until it is down.")] = 600.0,
    now: Annotated[bool, typer.Option("--now", help="Cut what is still open.")] = False,
) -> None:
    """Put everything to sleep and end the running `up`."""
    from poorwill import clock
    from poorwill.cli.client import Client
    from poorwill.store.folder import holder

    place = find(file)
    client = Client(place.state)
    client.post("/api/v1/down")
    if now:
        with suppress(NotRunning):  # nothing was open: it is down already
            client.post("/api/v1/down")
    deadline = clock.now().mono + wait
    while holder(place.state) is not None:
        if clock.now().mono > deadline:
            raise PoorwillError(
                f"still not down after {wait:g} s: work is in flight",
                hint="`poorwill status` shows what; `poorwill down --now` cuts it",
            )
        time.sleep(0.05)
    last = _last_end(place.state)
    if last is not None and last.reason != "everything is asleep":
        raise PoorwillError(
            "Poorwill is down, but something was left as it is: nobody knows whether it runs",
            hint="`poorwill events` shows what; look there by hand, it may cost money",
        )
    left = last.detail.get("left") if last is not None else None
    if not left:
        typer.echo("Everything is asleep; Poorwill is down.")
        return
    typer.echo(f"Poorwill is down. Still running, since Poorwill did not start it: {', '.join(left)}.")


def _last_end(state: Path) -> Event | None:
    """What the journal says of it."""
    from poorwill.store.journal import Kind, read_only

    with read_only(state) as archive:
        newest = archive.events(service=None, limit=100, newest_first=True)
    return next((event for event in newest if event.kind == Kind.DOWN), None)


def reload(file: File = FILE) -> None:
    """Make the running `up` read its configuration again. A bad one changes nothing."""
    from poorwill.cli.client import Client

    place = find(file)
    changes = Client(place.state).post("/api/v1/reload")
    words = [f"{what}: {', '.join(names)}" for what, names in changes.items() if names]
    typer.echo("; ".join(words) or "Nothing changed.")


def demo(
    script: Annotated[bool, typer.Option("--script", help="Play it unattended; exit 0 if all held.")] = False,
    listen: Annotated[
        str | None, typer.Option("--listen", help="Where visitors come in; 127.0.0.1:8080 when it is free.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Keep its files here.")] = None,
) -> None:
    """Watch the whole story: a service asleep, a question, an answer, asleep again."""
    from poorwill.cli.demonstration import play, show

    (play if script else show)(listen, folder)
