"""Who asks, as far as Poorwill remembers it: a name that tells clients apart and leads back to nobody, and
what kind of program it was.

Addresses are personal data and journals get mailed around. So an address is disguised with a key that never
leaves the state folder before anything is kept of it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

_LENGTH = 12
_PROGRAM_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Client:
    """``name`` is empty when nobody can tell where the request came from."""

    name: str = ""
    program: str = ""


def client(key: str, address: str, user_agent: str) -> Client:
    return Client(_name(key, address), _program(user_agent))


def _name(key: str, address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64)  # one house, which has 2**64 of them
    return hmac.new(key.encode(), str(ip).encode(), sha256).hexdigest()[:_LENGTH]


def _program(user_agent: str) -> str:
    """``python-requests/2.32``; what calls itself Mozilla is called a browser, as it wishes."""
    first = user_agent.split(" ", 1)[0]
    if first.startswith("Mozilla/"):
        return "a browser"
    shown = "".join(char for char in first if char.isprintable() and char.isascii())
    return shown[:_PROGRAM_LIMIT] or "a program without a name"
