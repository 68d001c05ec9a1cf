"""``${VAR}`` and ``${VAR:-default}`` in the texts of poorwill.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_OPENING = re.compile(r"\$?\$\{")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_LITERAL = "write $${ where ${ is meant as it stands"


@dataclass(frozen=True, slots=True)
class Filled:
    """``text`` with every reference replaced. ``problems`` are (message, hint); ``changed`` says whether
    anything came from the environment or its defaults.
    """

    text: str
    changed: bool = False
    problems: tuple[tuple[str, str], ...] = ()


def fill(text: str, env: Mapping[str, str]) -> Filled:
    """``$${`` stands for ``${``, a ``$`` without a brace for itself. What is filled in is not read again."""
    done: list[str] = []
    problems: list[tuple[str, str]] = []
    changed = False
    at = 0
    while opening := _OPENING.search(text, at):
        done.append(text[at : opening.start()])
        if opening[0] == "$${":
            done.append("${")
            at = opening.end()
            continue
        reference = _REFERENCE.match(text, opening.start())
        if reference is None or "${" in (reference[2] or ""):
            message = "${ begins a variable, but this is not ${NAME} or ${NAME:-default}"
            problems.append((message, _LITERAL))
            at = opening.end()
            continue
        name, default = reference[1], reference[2]
        value = env.get(name)
        if value is None and default is None:
            hint = f"set it, or write ${{{name}:-default}}"
            problems.append((f"the environment has no variable {name}", hint))
        # As in a shell, :- also stands in for an empty variable.
        done.append((value or default) if default is not None else (value or ""))
        changed = True
        at = reference.end()
    done.append(text[at:])
    return Filled("".join(done), changed, tuple(problems))
