"""The descriptions that ship with Poorwill, and reading those that users write."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from poorwill.config.document import Document
from poorwill.config.explain import Explainer, dotted
from poorwill.config.load import read_document
from poorwill.errors import BadInput, ConfigError, Problem
from poorwill.providers.http.description import Description


def shipped() -> tuple[str, ...]:
    """The names that may stand behind ``cloud:``."""
    folder = files("poorwill.providers.http").joinpath("clouds")
    return tuple(sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if _is_yaml(file.name)))


@cache
def cloud(name: str) -> Description:
    """A shipped description. Raises BadInput when there is none of this name."""
    if name not in shipped():
        near = difflib.get_close_matches(name.lower(), shipped(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(shipped())}"
        raise BadInput(f"there is no description of a cloud {name!r}", hint=hint)
    # Part of the package: no variables of the environment belong in it.
    return load(Path(str(files("poorwill.providers.http").joinpath("clouds", f"{name}.yaml"))), {})


def load(file: Path, env: Mapping[str, str] = os.environ) -> Description:
    """A description from a file. Raises ConfigError with every problem and its place."""
    document = read_document(file, env)
    problems = [
        Problem(str(file), trouble.line, trouble.column, dotted(loc), trouble.message, trouble.hint)
        for loc, trouble in document.troubles
    ]
    try:
        description = Description.model_validate(document.value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ConfigError(problems + [_problem(file, document, one) for one in details]) from error
    if problems:
        raise ConfigError(problems)
    return description


def _problem(file: Path, document: Document, detail: ErrorDetails) -> Problem:
    if detail["type"] != "extra_forbidden":
        return Explainer(str(file), document, {}).problem(detail)
    *above, name = detail["loc"]
    near = difflib.get_close_matches(str(name), _keys(Description, above), n=1)
    place = document.keys.get(detail["loc"])
    line, column = (place.line, place.column) if place else (0, 0)
    hint = f"did you mean {near[0]}?" if near else "docs/reference/clouds.md lists the keys"
    return Problem(str(file), line, column, dotted(detail["loc"]), "unknown key", hint)


def _keys(model: type[BaseModel], loc: list[str | int]) -> list[str]:
    """The keys that a model takes at a place below it."""
    fields: dict[str, Any] = {field.alias or key: field for key, field in model.model_fields.items()}
    if not loc:
        return list(fields)
    shape = fields[str(loc[0])].annotation if loc[0] in fields else None
    inside = [shape, *getattr(shape, "__args__", ())]
    below = next((one for one in inside if isinstance(one, type) and issubclass(one, BaseModel)), None)
    rest = loc[1:] if shape is below or type(None) in inside else loc[2:]
    return _keys(below, rest) if below else []


def _is_yaml(name: str) -> bool:
    return name.endswith(".yaml")
