"""Ports of containers that are made alike: what is fixed only one of them can have."""

from __future__ import annotations

from poorwill.errors import Permanent
from poorwill.providers.docker.state import Seen


def check(seen: Seen) -> None:
    """Raises Permanent when a second container like this one could not run beside it."""
    what = seen.service or seen.name
    if seen.network_mode == "host":
        raise Permanent(
            f"{what} uses its host's network, where only one instance can have its port",
            hint=_hint(seen, "8000", "without the host's network"),
        )
    for inside, bindings in sorted(seen.bindings.items()):
        for binding in bindings or ():
            if binding.get("HostPort", "").strip("0").isdecimal():
                raise Permanent(
                    f"{what} publishes port {binding['HostPort']}, and only one instance can have it",
                    hint=_hint(seen, inside.partition("/")[0], "and let Docker choose"),
                )


def _hint(seen: Seen, port: str, how: str) -> str:
    if seen.service:
        line = f'ports: ["127.0.0.1::{port}"]'
        return f"create it anew {how}: {line} in the Compose file, then docker compose up -d"
    return f"create it anew {how}: docker create -p 127.0.0.1::{port}"
