"""Passwords and keys as digests: what is kept of them, and what Envoy compares with (``gateway/guard.lua``).

Plain SHA-256, because Envoy computes one for every request. It keeps long, random secrets safe, and guessable
ones not: hence the least lengths.
"""

from __future__ import annotations

import hashlib
import re

SHORTEST_PASSWORD = 8
SHORTEST_KEY = 20
LONGEST = 512
"""Characters of a password or key; Envoy does not even look at more than 1,024 bytes."""

_USER = re.compile(r"sha256:([0-9a-f]{16}):([0-9a-f]{64})")
_KEY = re.compile(r"sha256:([0-9a-f]{64})")


def user_digest(salt: str, name: str, password: str) -> str:
    return hashlib.sha256(f"{salt}:{name}:{password}".encode()).hexdigest()


def key_digest(key: str) -> str:
    """Without a salt: a key is long and random, and is found by its digest."""
    return hashlib.sha256(key.encode()).hexdigest()


def written_user(text: str) -> tuple[str, str] | None:
    """Salt and digest of what ``poorwill password`` printed; None when it is something else."""
    found = _USER.fullmatch(text)
    return (found[1], found[2]) if found else None


def written_key(text: str) -> str | None:
    """The digest of what ``poorwill password --key`` printed; None when it is something else."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None
