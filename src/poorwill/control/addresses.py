"""Where an instance answers: what its provider or the user says, filled in, tunnelled and resolved."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace

from poorwill.config.address import Endpoint
from poorwill.control.facts import Facts
from poorwill.control.place import Place
from poorwill.core.target import Target
from poorwill.errors import BadInput, ProviderError


async def resolved(
    facts: Facts, place: Place, values: Mapping[str, str], failed: Callable[[str], None]
) -> tuple[Target, ...]:
    """By IP address: Envoy's endpoints take no names. Empty when it is not known yet.

    ``values`` is what its machine says (host and the like), for addresses with placeholders.
    """
    loop = asyncio.get_running_loop()
    host = ""
    try:
        where = await _where(facts, place, values)
        host = where.host
        found = await loop.getaddrinfo(host, where.port, type=socket.SOCK_STREAM)
    except (BadInput, ProviderError) as error:
        failed(f"{error} ({error.hint})" if error.hint else str(error))
    except (OSError, UnicodeError) as error:  # the latter for a name that cannot be one
        failed(f"the address {host} cannot be resolved: {error}")
    else:
        return tuple(Target(str(one[4][0]), where.port, where.name) for one in found)
    return ()


async def _where(facts: Facts, place: Place, values: Mapping[str, str]) -> Endpoint:
    """As far as it is known by now. Raises BadInput when that is not enough, ProviderError of a tunnel."""
    sighting = place.sighting
    if sighting is not None and sighting.address:
        return Endpoint("http", *split(sighting.address))
    if facts.address is None:
        raise BadInput("nobody says where the service answers")
    where = facts.address.fill({**values, **(sighting.values if sighting else {})})
    if not where.tunnel:
        return where
    if facts.tunnel is None:
        raise BadInput(f"there is no tunnel for {facts.address.url}")
    host, port = await facts.tunnel.open()
    return replace(where, host=host, port=port, tunnel=False)


def split(address: str) -> tuple[str, int]:
    """``host:port``; ValueError when it is not that."""
    host, _, port = address.rpartition(":")
    if not host or not 0 < int(port) < 65536:
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]"), int(port)
