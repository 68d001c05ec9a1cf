"""``clouds``: which rented instances Poorwill can switch on and off, and trying it without switching any."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poorwill.cli.options import AsJson
from poorwill.errors import BadInput

if TYPE_CHECKING:
    from poorwill.providers.http.description import Description
    from poorwill.providers.http.reading import Seen
    from poorwill.providers.http.trial import Found

Cloud = Annotated[
    str, typer.Argument(metavar="CLOUD", help="Its name, or the file of a description.", show_default=False)
]

_SAVES = {"compute": "the GPU", "nothing": "nothing", "destroys": "cannot sleep"}

clouds = typer.Typer(
    no_args_is_help=False,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    app.add_typer(clouds, name="clouds")


@clouds.callback(invoke_without_command=True)
def every(context: typer.Context, as_json: AsJson = False) -> None:
    """List the clouds that Poorwill knows: what a stop saves there, and what to beware of."""
    if context.invoked_subcommand is not None:
        return
    from poorwill.providers.http.library import cloud, shipped

    rows = {name: _row(cloud(name)) for name in shipped()}
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    columns = ("name", "cloud", "a stop saves", "no GPU free", "timer", "tried", "doubts")
    table = Table(*columns, box=None, pad_edge=False)
    for name, row in rows.items():
        timer = "yes" if row["timer"] else "no"
        tried = row["tried"] or "never called live"
        saves, doubts = _SAVES[row["saves"]], str(len(row["unsure"]))
        table.add_row(name, row["cloud"], saves, f"asks every {row['asks_every']}", timer, tried, doubts)
    console = Console() if sys.stdout.isatty() else Console(width=200, soft_wrap=True)
    console.print(table)
    typer.echo("\n`poorwill clouds show NAME` says more; `poorwill clouds try NAME` asks the cloud itself.")


@clouds.command()
def show(name: Cloud) -> None:
    """Show what is known of a cloud, what is not, and where it was read."""
    about = _described(name)
    lines = [about.name, about.about, ""]
    lines += [f"a stop saves:   {_SAVES[about.off.saves]}"]
    lines += [f"billed off:     {about.off.billed}"] if about.off.billed else []
    lines += [f"beware:         {about.off.note}"] if about.off.note else []
    lines += [f"billed running: {about.billing}"] if about.billing else []
    lines += [f"its own timer:  {'timer: can be used' if about.timer else 'none that can be set'}"]
    lines += [f"token:          {about.token_help}"] if about.token_help else []
    lines += [f"tried:          {about.tried or 'never called live'}"]
    lines += (
        [f"for address:    {', '.join(f'{{{value}}}' for value in about.offers)}"] if about.offers else []
    )
    for key, option in about.options.items():
        default = f" (default: {option.default})" if option.default is not None else ""
        lines.append(f"option {key}: {option.description}{default}")
    lines += [
        "",
        *(f"unsure: {text}" for text in about.unsure),
        *(f"source: {text}" for text in about.sources),
    ]
    typer.echo("\n".join(lines))


@clouds.command(name="try")
def attempt(
    name: Cloud,
    token_env: Annotated[str, typer.Option("--token-env", help="The variable that holds the token.")] = "",
    instance: Annotated[str, typer.Option("--instance", help="The id of an instance to read.")] = "",
    option: Annotated[
        list[str] | None, typer.Option("--option", help="What this cloud wants besides: region=eu-1.")
    ] = None,
    url: Annotated[str, typer.Option("--url", help="Another address of its API.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask a cloud with the calls that only read, and show what was understood. Starts and stops nothing."""
    about = _described(name)
    words, secrets = _words(about, token_env, option or [])
    if about.listing is None and not instance:
        raise BadInput(f"{about.name} cannot list instances", hint="name one: --instance ID")
    found = asyncio.run(_collect(about, words, secrets, instance, url))
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found], indent=2, ensure_ascii=False))
    else:
        for one in found:
            _print(one)
    if any(one.error is not None for one in found):
        raise typer.Exit(1)


@clouds.command()
def schema() -> None:
    """Print the JSON Schema of a description, for editors."""
    from poorwill.providers.http.description import Description

    typer.echo(json.dumps(Description.model_json_schema(), indent=2, ensure_ascii=False))


async def _collect(about: Description, words: dict[str, str | None], *rest: Any) -> list[Found]:
    from poorwill.providers.http.trial import try_out

    return [found async for found in try_out(about, words, *rest)]


def _described(name: str) -> Description:
    from poorwill.providers.http.library import cloud, load

    return load(Path(name)) if name.endswith((".yaml", ".yml")) else cloud(name)


def _words(
    about: Description, token_env: str, given: list[str]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """The words of the calls, and which of them are secret."""
    words: dict[str, str | None] = {key: spec.default for key, spec in about.options.items()}
    for pair in given:
        key, sign, value = pair.partition("=")
        if not sign or key not in about.options:
            known = ", ".join(about.options) or "none"
            raise BadInput(f"{about.name} has no option {key!r}", hint=f"write NAME=VALUE; it has: {known}")
        words[key] = value
    for key, spec in about.options.items():
        if words[key] is None and not spec.optional:
            raise BadInput(f"{about.name} wants {key}: {spec.description}", hint=f"--option {key}=...")
    token = os.environ.get(token_env, "") if token_env else ""
    if about.wants_token and not token:
        what = f"the environment has no variable {token_env}" if token_env else f"{about.name} wants a token"
        raise BadInput(what, hint=f"put it into a variable and name that: --token-env. {about.token_help}")
    words["token"] = token
    hidden = (words[key] or "" for key, spec in about.options.items() if spec.secret)
    return words, tuple(filter(None, (token, *hidden)))


def _row(about: Description) -> dict[str, Any]:
    from poorwill.config import format_duration

    return {
        "cloud": about.name,
        "about": about.about,
        "saves": about.off.saves,
        "asks_every": format_duration(about.no_capacity.delay),
        "timer": about.timer is not None,
        "tried": about.tried,
        "unsure": list(about.unsure),
        "sources": list(about.sources),
    }


def _plain(found: Found) -> dict[str, Any]:
    if found.error is not None:
        return {"call": found.call, "error": str(found.error), "hint": found.error.hint}
    seen = {
        which: {
            "condition": _condition(one),
            "state": one.state,
            "detail": one.says,
            "values": dict(one.values),
        }
        for which, one in found.instances.items()
    }
    return {"call": found.call, "instances": seen}


def _print(found: Found) -> None:
    if found.error is not None:
        typer.echo(f"{found.call}: {found.error}")
        if found.error.hint:
            typer.echo(f"  hint: {found.error.hint}")
        return
    typer.echo(f"{found.call}: {len(found.instances)} understood")
    for which, one in found.instances.items():
        says = f" ({one.says})" if one.says else ""
        typer.echo(f"  {which}: {_condition(one)}, the cloud says {one.state}{says}")
        for key, value in one.values.items():
            typer.echo(f"    {{{key}}} = {value}")


def _condition(seen: Seen) -> str:
    return "off" if seen.condition == "absent" else str(seen.condition)
