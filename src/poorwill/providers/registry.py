"""Which providers there are: the built-in ones and a third party's come in by the same door."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel

from poorwill.errors import BadInput, PoorwillError
from poorwill.providers.base import Provider

GROUP = "poorwill.providers"
"""The entry-point group; a name in it is what a user writes below ``run:``."""

_METHODS = ("adopt", "prepare", "start", "stop", "list", "log_tail", "close")


@dataclass(frozen=True, slots=True)
class _Found:
    providers: Mapping[str, type[Provider]]
    broken: Mapping[str, PoorwillError]


def available() -> Mapping[str, type[Provider]]:
    """Every provider that can be used, by name."""
    return _found().providers


def broken() -> Mapping[str, PoorwillError]:
    """Every plugin that is installed and cannot be used, by name, and why."""
    return _found().broken


def option_models() -> Mapping[str, type[BaseModel]]:
    """What may be written below each name."""
    return {name: provider.Options for name, provider in available().items()}


def provider(name: str) -> type[Provider]:
    """Raises the plugin's own ``PoorwillError`` when it is broken, ``BadInput`` when there is none."""
    if name in broken():
        raise broken()[name]
    try:
        return available()[name]
    except KeyError:
        near = difflib.get_close_matches(name, available(), n=1)
        known = ", ".join(sorted(available())) or "none"
        hint = f"did you mean {near[0]}?" if near else f"there are: {known}"
        raise BadInput(f"there is no provider {name!r}", hint=hint) from None


def reload() -> None:
    """Look again at what is installed."""
    _found.cache_clear()


@cache
def _found() -> _Found:
    return load(entry_points(group=GROUP))


def load(points: Iterable[EntryPoint]) -> _Found:
    """Load each. A name that two packages claim is Poorwill's own before a third party's."""
    providers: dict[str, type[Provider]] = {}
    failures: dict[str, PoorwillError] = {}
    for point in sorted(points, key=lambda point: (not _is_ours(point), point.name, point.value)):
        try:
            loaded = _load(point)
        except PoorwillError as error:
            failures.setdefault(point.name, error)
            continue
        if point.name in providers:
            failures[f"{point.name} ({_package(point)})"] = PoorwillError(
                f"the provider {point.name!r} of {_package(point)} is not used: the name is taken",
                hint=f"uninstall {_package(point)}, or ask its authors for another name",
            )
        else:
            providers[point.name] = loaded
    return _Found(providers, {name: error for name, error in failures.items() if name not in providers})


def _load(point: EntryPoint) -> type[Provider]:
    """Raises ``PoorwillError`` whatever goes wrong: a plugin's import may raise anything."""
    package = _package(point)
    hint = f"update or uninstall {package}"
    try:
        loaded = point.load()
    except Exception as error:  # whatever a stranger's module raises while it is imported
        reason = f"{type(error).__name__}: {error}"
        raise PoorwillError(
            f"the provider {point.name!r} of {package} cannot be loaded: {reason}", hint=hint
        ) from error
    if problem := _problem(loaded):
        raise PoorwillError(f"the provider {point.name!r} of {package} cannot be used: {problem}", hint=hint)
    return loaded  # type: ignore[no-any-return]  # checked by _problem


def _problem(loaded: object) -> str:
    if not inspect.isclass(loaded):
        return f"{loaded!r} is not a class"
    model = getattr(loaded, "Options", None)
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        return "its Options is not a pydantic model"
    missing = [name for name in _METHODS if not inspect.iscoroutinefunction(getattr(loaded, name, None))]
    missing += [name for name in ("settle", "stale_after") if not hasattr(loaded, name)]
    return f"it lacks {', '.join(missing)}" if missing else ""


def _is_ours(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == "poorwill"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
