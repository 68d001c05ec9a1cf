"""The ``run:`` section: one provider's name and its options, checked by that provider's own model."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, PlainSerializer, PlainValidator, TypeAdapter, ValidationInfo, WithJsonSchema

from poorwill.config.complaint import all_of, expected, wrong
from poorwill.host.gpus import gpu_memory


@dataclass(frozen=True, slots=True)
class Context:
    """The validation context: the known ``providers``, the ``base`` folder for relative paths, and what asks
    how much memory the GPUs of this host have.
    """

    providers: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    base: Path = Path()
    gpus: Callable[[], Mapping[str, int]] = gpu_memory


@dataclass(frozen=True, slots=True)
class Run:
    """A provider's name and its validated options."""

    provider: str
    options: BaseModel

    @property
    def gives_address(self) -> bool:
        """Whether the provider says itself where an instance answers (``{port}`` in the command)."""
        return bool(getattr(self.options, "gives_address", False))

    @property
    def may_give_address(self) -> bool:
        """Whether the user may leave the address to the provider (a container's published port)."""
        return bool(getattr(self.options, "may_give_address", False))

    @property
    def gives_exit_code(self) -> bool:
        """Whether the provider reports how an instance ended that ended by itself: jobs need it."""
        return bool(getattr(self.options, "gives_exit_code", False))

    @property
    def measures_cpu(self) -> bool:
        """Whether the provider can tell how much processor time an instance has used."""
        return bool(getattr(self.options, "measures_cpu", False))

    @property
    def several(self) -> str:
        """Why there cannot be several instances, and what to do about it; empty when there can."""
        silent = f"{self.provider} does not say that it can run several instances: run it by another provider"
        return str(getattr(self.options, "several", silent))

    @property
    def owns(self) -> str:
        """What nothing else can start and stop beside it, in words; empty when the provider does not say."""
        return str(getattr(self.options, "owns", ""))


def context(info: ValidationInfo) -> Context:
    return info.context if isinstance(info.context, Context) else Context()


def parse_run(value: object, info: ValidationInfo) -> Run:
    if isinstance(value, Run):
        return value
    providers = context(info).providers
    what = "a provider with its options, such as process: {command: [python3, app.py]}"
    if isinstance(value, str):
        raise expected(what, "write the command as a list: run: {process: {command: [python3, app.py]}}")
    if not isinstance(value, Mapping) or not value:
        raise expected(what, f"the providers are {', '.join(sorted(providers))}")
    if len(value) > 1:
        found = " and ".join(map(str, value))
        raise wrong(f"one provider only, found {found}", "leave one of them out")
    ((name, options),) = value.items()
    model = providers.get(name)
    if model is None:
        raise all_of([((name,), _unknown(str(name), sorted(providers)), options)])
    return Run(name, _validated(name, model, {} if options is None else options, info))


def _validated(name: str, model: type[BaseModel], options: object, info: ValidationInfo) -> BaseModel:
    # A dict around the model, so that pydantic itself puts the provider's name in front of each place.
    return _adapter(model).validate_python({name: options}, context=info.context)[name]


@functools.cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[dict[str, BaseModel]]:
    return TypeAdapter(dict[str, model])  # type: ignore[valid-type]


def _unknown(name: str, known: list[str]) -> Any:
    close = difflib.get_close_matches(name, known, n=1)
    return wrong(
        f"there is no provider {name}",
        f"did you mean {close[0]}?" if close else f"the providers are {', '.join(known)}",
    )


def _plain(run: Run) -> dict[str, Any]:
    return {run.provider: run.options.model_dump(mode="json")}


RunSection = Annotated[
    Run, PlainValidator(parse_run), PlainSerializer(_plain), WithJsonSchema({"type": "object"})
]
