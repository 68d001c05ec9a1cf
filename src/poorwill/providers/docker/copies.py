"""Further instances of a container that somebody made: copies of it, made by Poorwill. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from poorwill.providers.docker.naming import OF_COMPOSE, Naming
from poorwill.providers.instances import named, number_of

ORIGINAL = "poorwill.copy-of"
"""The label that only copies carry: the id of the container that this is a copy of."""

_SHORT = 12
"""Characters of an id that Docker uses as a host name and as an alias."""


def name_of(naming: Naming, instance: str) -> str:
    """The first instance is the container itself; its copies are called ``NAME-2`` and so on."""
    return naming.pattern if instance == naming.only else f"{naming.pattern}-{number_of(instance)}"


def instance_of(naming: Naming, name: str, labels: Mapping[str, Any]) -> str | None:
    """None for a container that is neither the original nor a copy, whatever it is called."""
    name = name.removeprefix("/")
    if name == naming.pattern:
        return naming.only
    number = number_of(name)
    if number is None or ORIGINAL not in labels or name != f"{naming.pattern}-{number}":
        return None
    return named(naming.service, number)


def recipe(told: Mapping[str, Any]) -> dict[str, Any]:
    """What to create a copy from, as ``POST /containers/create`` takes it; ``told`` is of the original.

    The same image, command, limits, GPUs, mounts and named volumes; a name, an address and anonymous volumes
    of its own. It is no part of the Compose project that the original may be of.
    """
    config = dict(told["Config"])
    short = str(told["Id"])[:_SHORT]
    if config.get("Hostname") == short:
        del config["Hostname"]
    config.pop("MacAddress", None)
    labels = config.get("Labels") or {}
    own = {key: value for key, value in labels.items() if not key.startswith(OF_COMPOSE)}
    mode = str(told["HostConfig"].get("NetworkMode", ""))
    first = {name: each for name, each in networks(told).items() if name == mode}
    return {
        **config,
        "Image": told["Image"],
        "Labels": {**own, ORIGINAL: told["Id"]},
        "HostConfig": told["HostConfig"],
        "NetworkingConfig": {"EndpointsConfig": first},
    }


def networks(told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The networks that somebody made and the original is in, with the names it has there."""
    short = str(told["Id"])[:_SHORT]
    found = (told.get("NetworkSettings") or {}).get("Networks") or {}
    return {
        name: {"Aliases": [alias for alias in (each or {}).get("Aliases") or () if alias != short]}
        for name, each in found.items()
        if name not in ("bridge", "host", "none")
    }
