"""Who gets which requests, and which ports: what has to fit between services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from poorwill.config.complaint import Loc, wrong
from poorwill.config.units import HostPort

Complaint = tuple[Loc, PydanticCustomError, Any]
Claim = tuple[Sequence[str], str | None]
"""Hosts and path prefix of a service. No hosts: every host. No path: every path."""


def complaints(
    doors: Mapping[str, HostPort], addresses: Mapping[str, HostPort | None], claims: Mapping[str, Claim]
) -> list[Complaint]:
    """Everything between the services and doors of one file that cannot be.

    ``doors`` are where Poorwill listens, by key; of two that collide the later one is blamed.
    """
    found = list(_doors(doors))
    for name, address in addresses.items():
        found += _loops(name, address, doors)
    found += _shared(addresses)
    if len(claims) > 1:
        found += _unreachable(claims)
        found += _taken(claims)
    return found


def _doors(doors: Mapping[str, HostPort]) -> Sequence[Complaint]:
    (first, one), (second, two) = doors.items()
    if not _same_socket(one, two):
        return ()
    error = wrong(
        f"{first} {one} and {second} {two} need the same port",
        "give each a port of its own",
        other=(first,),
        about=((first,),),
    )
    return [((second,), error, str(two))]


def _same_socket(one: HostPort, two: HostPort) -> bool:
    hosts = {"127.0.0.1" if place.host == "localhost" else place.host for place in (one, two)}
    return one.port == two.port and (len(hosts) == 1 or one.is_wildcard or two.is_wildcard)


def _loops(name: str, address: HostPort | None, doors: Mapping[str, HostPort]) -> Sequence[Complaint]:
    loc: Loc = ("services", name, "address")
    for key, door in doors.items():
        # A wildcard door covers addresses of other machines only seemingly.
        here = address is not None and (address.is_loopback or not door.is_wildcard)
        if address is not None and here and _same_socket(address, door):
            error = wrong(
                f"{address} is Poorwill's own address ({key}), not the service's",
                "write the address where the service itself answers",
                other=(key,),
                about=((key,),),
            )
            return [(loc, error, str(address))]
    return ()


def _shared(addresses: Mapping[str, HostPort | None]) -> Sequence[Complaint]:
    first: dict[HostPort, str] = {}
    found: list[Complaint] = []
    for name, address in addresses.items():
        owner = first.setdefault(address, name) if address is not None else name
        if owner == name:
            continue
        # One would be thought ready when the other answers.
        error = wrong(
            f"{address} is already the address of services.{owner}",
            "give each service a port of its own",
            other=("services", owner, "address"),
            about=(("services", owner, "address"),),
        )
        found.append((("services", name, "address"), error, str(address)))
    return found


def _unreachable(claims: Mapping[str, Claim]) -> Sequence[Complaint]:
    found: list[Complaint] = []
    for name, (hosts, path) in claims.items():
        if hosts or path is not None:
            continue
        at: Loc = ("services", name)
        error = wrong(
            "nothing says which requests are for this service",
            f"with several services each needs hosts or path: hosts: [{name}.localhost]",
            about=((*at, "hosts"), (*at, "path")),
        )
        found.append((at, error, None))
    return found


def _taken(claims: Mapping[str, Claim]) -> Sequence[Complaint]:
    first: dict[tuple[str, str], tuple[str, Loc]] = {}
    found: list[Complaint] = []
    for name, (hosts, path) in claims.items():
        at: Loc = ("services", name)
        if not hosts and path is None:
            continue
        for index, host in enumerate(hosts or ("",)):
            loc: Loc = (*at, "hosts", index) if hosts else (*at, "path")
            owner, place = first.setdefault((host, path or ""), (name, loc))
            if place == loc:
                continue
            what = f"{host or 'every host'}{path or ''}" if host else f"{path or '/'} on every host"
            error = wrong(
                f"{what} is listed twice" if owner == name else f"{what} already goes to services.{owner}",
                "remove one of them" if owner == name else "give one of them another host or path",
                other=place,
                about=tuple((*base, key) for base in (at, ("services", owner)) for key in ("hosts", "path")),
            )
            found.append((loc, error, None))
    return found
