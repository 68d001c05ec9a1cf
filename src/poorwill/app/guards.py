"""From the passwords and keys of the configuration to the digests that Envoy compares with."""

from __future__ import annotations

import hashlib

from poorwill.config import ServiceConfig
from poorwill.config.auth import Secret
from poorwill.core.credential import key_digest, user_digest, written_key, written_user
from poorwill.gateway.guard import Guard


def guard_of(service: ServiceConfig, gateway: str) -> Guard | None:
    """``gateway`` is this gateway's own name, so that no two of them have the same salts."""
    auth = service.auth
    if auth is None:
        return None
    return Guard(
        users={name: _user(name, secret, f"{gateway}/{service.name}") for name, secret in auth.users.items()},
        keys={
            written_key(secret.text) or key_digest(secret.text): name for name, secret in auth.keys.items()
        },
        open_paths=auth.open,
        forward=auth.forward,
    )


def _user(name: str, secret: Secret, place: str) -> tuple[str, str]:
    """Salt and digest. The salt is the same at each start: else all routes would change with it."""
    salt = hashlib.sha256(f"{place}/{name}".encode()).hexdigest()[:16]
    return written_user(secret.text) or (salt, user_digest(salt, name, secret.text))
