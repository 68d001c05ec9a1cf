"""What the page of a sleeping service gives to its button, so that only who has read the page can wake it."""

from __future__ import annotations

import hmac
from hashlib import sha256

LASTS = 86_400
"""Seconds for which a page that was left open still works."""


def token(key: str, service: str, wall: float) -> str:
    at = f"{int(wall):x}"
    return f"{at}.{_proof(key, service, at)}"


def is_ours(key: str, service: str, given: str, wall: float) -> bool:
    """Whether this gateway gave it for this service, not too long ago."""
    at, _, proof = given.partition(".")
    if not hmac.compare_digest(proof.encode(), _proof(key, service, at).encode()):
        return False
    return abs(wall - int(at, 16)) <= LASTS


def _proof(key: str, service: str, at: str) -> str:
    return hmac.new(key.encode(), f"wake {service} {at}".encode(), sha256).hexdigest()[:32]
