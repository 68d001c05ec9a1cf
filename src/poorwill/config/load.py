"""poorwill.yaml → Settings, or every problem in it at once."""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from poorwill.config.auth import written_out
from poorwill.config.complaint import Loc
from poorwill.config.document import Document, Unreadable, read
from poorwill.config.explain import Explainer, dotted, is_machines_provider
from poorwill.config.policy_file import put_in_place
from poorwill.config.run import Context, Run
from poorwill.config.spec import Settings
from poorwill.errors import ConfigError, Problem
from poorwill.host.gpus import gpu_memory

_INIT = "poorwill init writes an example"


def load(
    path: Path, providers: Mapping[str, type[BaseModel]], env: Mapping[str, str] = os.environ
) -> Settings:
    """Reads and checks the file. ``providers`` maps a provider's name to the model of its options.

    Relative paths become absolute, below the file's folder. Raises ConfigError with all problems.
    """
    document = read_document(path, env)
    elsewhere = put_in_place(document, path, env)
    context = Context(providers, path.absolute().parent, functools.cache(gpu_memory))
    check = _Check(document, Explainer(str(path), document, providers), context)
    settings = check.run()
    problems = [*check.problems, *elsewhere] + [
        Problem(str(path), trouble.line, trouble.column, dotted(loc), trouble.message, trouble.hint)
        for loc, trouble in (*document.troubles, *written_out(document))
    ]
    if problems or settings is None:
        # An alias shows one mistake in several places of the tree, but it stands in the file once.
        once = {(*_place(problem, path), problem.message): problem for problem in reversed(problems)}
        raise ConfigError(sorted(once.values(), key=lambda problem: _place(problem, path)))
    return settings


def _place(problem: Problem, path: Path) -> tuple[bool, str, int, int]:
    """In the order of the file, and other files after it."""
    return problem.file != str(path), problem.file, problem.line, problem.column


def in_place(
    path: Path, found: Iterable[tuple[Loc, str, str]], env: Mapping[str, str] = os.environ
) -> list[Problem]:
    """What was found out about a file that is fine as such: paths, what is wrong there, and what to do."""
    document = read_document(path, env)
    put_in_place(document, path, env)
    explainer = Explainer(str(path), document, {})
    return [explainer.told(*one) for one in found]


def read_document(path: Path, env: Mapping[str, str]) -> Document:
    """The file as plain values, not checked yet. Raises ConfigError when it is no YAML with keys."""
    text = _text(path)
    try:
        document = read(text, env)
    except Unreadable as error:
        trouble = error.trouble
        raise ConfigError(
            [Problem(str(path), trouble.line, trouble.column, "", trouble.message, trouble.hint)]
        ) from error
    if document.value is None:
        raise ConfigError([Problem(str(path), 1, 1, "", "the file is empty", _INIT)])
    if not isinstance(document.value, dict):
        place = document.values[()]
        message = "expected keys such as listen and services at the top of the file"
        raise ConfigError([Problem(str(path), place.line, place.column, "", message, _INIT)])
    return document


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        problem = Problem(str(path), 0, 0, "", "there is no such file", _INIT)
        raise ConfigError([problem]) from error
    except IsADirectoryError as error:
        hint = f"name the file in it: {path / 'poorwill.yaml'}"
        raise ConfigError([Problem(str(path), 0, 0, "", "this is a folder, not a file", hint)]) from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        problem = Problem(
            str(path), before.count(b"\n") + 1, column, "", "this is not UTF-8 text", "save the file as UTF-8"
        )
        raise ConfigError([problem]) from error
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise ConfigError([Problem(str(path), 0, 0, "", message, "check the file's permissions")]) from error


class _NoOptions(BaseModel):
    """Stands in for options that cannot be read, and for an address that is missing."""

    @property
    def gives_address(self) -> bool:
        return True

    @property
    def on_machine(self) -> bool:
        return True

    @property
    def gives_exit_code(self) -> bool:
        return True

    @property
    def measures_cpu(self) -> bool:
        return True

    @property
    def several(self) -> str:
        return ""


class _Check:
    """Validates, takes out what is wrong, and validates the rest again, until nothing new comes up.

    Pydantic stops before the checks between keys and between services when any single key is wrong.
    ``_gone`` are the paths taken out or already complained of; what rests on one of them is a consequence.
    """

    def __init__(self, document: Document, explainer: Explainer, context: Context) -> None:
        self.problems: list[Problem] = []
        self._data = copy.deepcopy(document.value)
        self._written = document.written
        self._explain = explainer
        self._context = context
        self._gone = set(document.doubtful)

    def run(self) -> Settings | None:
        """The settings without what was taken out, None when nothing is left or nothing helps."""
        rounds: set[frozenset[tuple[Loc, str]]] = set()
        while True:
            try:
                return Settings.model_validate(self._data, context=self._context)
            except ValidationError as error:
                details = error.errors(include_url=False)
            if self._take_as_written(details):
                continue
            found = frozenset((detail["loc"], detail["msg"]) for detail in details)
            if found in rounds:  # what is taken out makes room for what was complained of before
                return None
            rounds.add(found)
            self._report(details)
            taken = [self._take_out(self._explain.path(detail)) for detail in details]
            if not any(taken):
                return None

    def _take_as_written(self, details: list[ErrorDetails]) -> bool:
        """Numbers and booleans where text is wanted become the text in the file: ``env: {PORT: 9100}``."""
        found = False
        for detail in details:
            loc, given = self._explain.path(detail), detail["input"]
            if detail["type"] != "string_type" or not isinstance(given, int | float):
                continue
            holder = _parent(self._data, loc)
            if loc in self._written and not isinstance(holder[loc[-1]], str):
                holder[loc[-1]] = self._written[loc]
                found = True
        return found

    def _report(self, details: list[ErrorDetails]) -> None:
        for detail in details:
            if detail["type"] == "extra_forbidden" and (meant := self._explain.meant(detail)):
                self._gone.add(meant)
        for detail in details:
            if not self._is_consequence(detail):
                self.problems.append(self._explain.problem(detail))

    def _is_consequence(self, detail: ErrorDetails) -> bool:
        context, loc, own = detail.get("ctx", {}), detail["loc"], self._explain.path(detail)
        if is_machines_provider(loc) and any((*own, name) in self._gone for name in self._context.providers):
            return True
        above = loc[: len(loc) - context.get("depth", 0)]
        about = [self._explain.in_file((*above, *path)) for path in context.get("about", ())]
        for gone in self._gone:
            if _is_within(own, gone) or any(
                _is_within(path, gone) or _is_within(gone, path) for path in about
            ):
                return True
            # What held it may be wrong only because of that, unless it says what it rests on.
            if not about and _is_within(gone, own):
                return True
        return False

    def _take_out(self, loc: Loc) -> bool:
        """Takes out the nearest key at or above the path. False when there is none."""
        self._gone.add(loc)
        if self._without_run(loc):
            return True
        while loc:
            parent = _parent(self._data, loc)
            if isinstance(parent, dict) and loc[-1] in parent:
                del parent[loc[-1]]
                self._gone.add(loc)
                return True
            loc = loc[:-1]
            if loc in self._gone:  # with another key that was missing in it
                return False
        return False

    def _without_run(self, loc: Loc) -> bool:
        """Puts a stand-in for ``run`` where it is wrong, or an address or the machine is missing.

        They are required, but nothing else rests on them: the rest of the service is still checked.
        """
        service = _parent(self._data, loc[:3]) if len(loc) > 2 and loc[0] == "services" else None
        if not isinstance(service, dict) or isinstance(service.get("run"), Run):
            return False
        if loc[2] == "on" and "run" not in service:
            service.pop("on", None)
        elif loc[2] != "run" and (loc[2] != "address" or "address" in service):
            return False
        service["run"] = Run("", _NoOptions())
        self._gone.add((*loc[:2], "run"))
        return True


def _parent(data: Any, loc: Loc) -> Any:
    """What holds the last part of the path; None when the way there does not exist."""
    for part in loc[:-1]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _is_within(inner: Loc, outer: Loc) -> bool:
    return inner[: len(outer)] == outer
