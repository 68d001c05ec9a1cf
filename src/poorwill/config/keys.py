"""Which keys may stand where, for "did you mean"."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from poorwill.config.address import ServiceAddress
from poorwill.config.auth import Auth
from poorwill.config.complaint import Loc
from poorwill.config.machine import MachineConfig, switches
from poorwill.config.run import Run
from poorwill.config.scale import ScalePolicyConfig
from poorwill.config.schedule import ScheduleEntry
from poorwill.config.service import ServiceConfig
from poorwill.config.spec import Settings
from poorwill.config.traffic import Ready, Traffic

Providers = Mapping[str, type[BaseModel]]


def allowed(loc: Loc, providers: Providers) -> list[str]:
    """The keys that the models know at this path; empty where any key is fine, or nothing is known."""
    shape = _shape(loc, providers)
    return _names(shape, providers) if _is_model(shape) else []


def described(loc: Loc, providers: Providers) -> str:
    """What the models say about the key at this path, as half a sentence; may be empty."""
    shape = _shape(loc[:-1], providers)
    fields = _fields(shape) if _is_model(shape) else {}
    said = fields[loc[-1]].description if loc[-1] in fields else None
    return said[:1].lower() + said[1:].removesuffix(".") if said else ""


def suggestion(name: str, loc: Loc, providers: Providers) -> str:
    """The allowed key at this path that is nearest to ``name``; empty when none is near."""
    known = allowed(loc, providers)
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    if plain in known:
        return plain
    begun = [key for key in known if len(plain) > 2 and (key.startswith(plain) or plain.startswith(key))]
    return (begun or difflib.get_close_matches(plain, known, n=1) or [""])[0]


def unknown_key_hint(name: str, loc: Loc, providers: Providers) -> str:
    """What to do about a key that has no place here."""
    near = suggestion(name, loc, providers)
    service = str(loc[1]) if len(loc) > 1 and loc[0] == "services" else "NAME"
    for above, model in _sections(service, providers):
        if name in _names(model):  # the very key of another place is rather meant than a like one of this
            return f"did you mean {above}{name}?"
    if near:
        return f"did you mean {near}?"
    known = allowed(loc, providers)
    return f"the keys here are {', '.join(known)}" if known else ""


def _sections(service: str, providers: Providers) -> Iterator[tuple[str, type[BaseModel]]]:
    above = f"services.{service}."
    yield "", Settings
    yield above, ServiceConfig
    yield f"{above}ready.", Ready
    yield f"{above}traffic.", Traffic
    yield f"{above}schedule.", ScheduleEntry
    yield f"{above}scale_policy.", ScalePolicyConfig
    yield f"{above}auth.", Auth
    yield f"{above}address.", ServiceAddress
    for name, options in providers.items():
        yield f"{above}run.{name}.", options


def _names(model: type[BaseModel], providers: Providers = MappingProxyType({})) -> list[str]:
    """The provider of a machine stands beside its other keys, not below one."""
    if model is MachineConfig:
        return [*(str(name) for name in _fields(model) if name != "run"), *switches(providers)]
    return [str(name) for name in _fields(model)]


def _fields(model: type[BaseModel]) -> dict[str | int, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _shape(loc: Loc, providers: Providers) -> Any:
    shape: Any = Settings
    for part in loc:
        shape = _below(shape, part, providers)
    # An item of a list may stand alone, without its position.
    items = get_args(shape) if get_origin(shape) is tuple else ()
    return _inner(items[0]) if items and _is_model(_inner(items[0])) else shape


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _below(shape: Any, part: str | int, providers: Providers) -> Any:
    """The type of what stands below a key or position; None when it cannot be told."""
    if shape is Run or (shape is MachineConfig and part in switches(providers)):
        return providers.get(str(part))
    if _is_model(shape):
        fields = _fields(shape)
        return _inner(fields[part].annotation) if part in fields else None
    origin, args = get_origin(shape), get_args(shape)
    if origin is dict:
        return _inner(args[1])
    return _inner(args[0]) if origin in (list, tuple) else None


def _inner(shape: Any) -> Any:
    """Without Annotated and Optional; of a union, the member that has keys."""
    origin = get_origin(shape)
    if origin is Annotated:
        return _inner(get_args(shape)[0])
    if origin in (Union, types.UnionType):
        members = [_inner(member) for member in get_args(shape)]
        return next((member for member in members if _is_model(member)), members[0])
    return shape
