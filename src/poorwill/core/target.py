"""Where an instance answers, as the gateway and the probe need it: an address of the network, resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Target(NamedTuple):
    """``name`` is what the instance wants to be called: in the Host header and, over TLS, in the handshake,
    where its certificate must be for it. Empty: as the visitor calls it.
    """

    ip: str
    port: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tls:
    """How an instance is spoken to over TLS. ``ca`` is a file with the certificates of those who may vouch
    for it; empty: whatever certificate it shows is taken.
    """

    ca: str
