"""``password``: what to write into poorwill.yaml in place of a password or key."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from poorwill.core.credential import LONGEST, SHORTEST_PASSWORD, key_digest, user_digest
from poorwill.errors import BadInput


def register(app: typer.Typer) -> None:
    app.command()(password)


def password(
    name: Annotated[str, typer.Argument(help="Who it is for: a user or, with --key, a program.")],
    new: Annotated[bool, typer.Option("--new", help="Make a password and print it, once.")] = False,
    key: Annotated[bool, typer.Option("--key", help="Make a key for a program and print it, once.")] = False,
) -> None:
    """Turn a password into a line for `auth:` that does not tell it. Asks for the password, or makes one."""
    if key:
        made = f"pw-{secrets.token_urlsafe(30)}"
        _print_new("key", made)
        typer.echo(f"keys:\n  {name}: sha256:{key_digest(made)}")
        return
    text = secrets.token_urlsafe(15) if new else _asked()
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST:
        raise BadInput(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST} characters",
            hint="a long one that nobody can guess: --new makes one",
        )
    if new:
        _print_new("password", text)
    salt = secrets.token_hex(8)
    typer.echo(f"users:\n  {name}: sha256:{salt}:{user_digest(salt, name, text)}")


def _asked() -> str:
    """From the keyboard, unseen and twice; from a pipe once."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return text


def _print_new(what: str, text: str) -> None:
    """Apart from the lines for the file, so that ``> file`` does not keep it."""
    typer.echo(f"The {what}, which is shown only now: {text}", err=True)
