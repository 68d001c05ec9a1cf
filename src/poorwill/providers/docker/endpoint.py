"""Which engine is meant, and where the ports of its containers can be reached."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from poorwill.errors import Permanent
from poorwill.providers.docker.options import Tls

DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``url`` is None for the local socket. ``of_context``: a docker context may hold certificates."""

    url: str | None
    tls: Tls | None = None
    of_context: bool = False

    @property
    def shown(self) -> str:
        return self.url or f"unix://{DEFAULT_SOCKET}"

    @property
    def host(self) -> str:
        """The engine's host; empty when that is this host."""
        parts = urlsplit(self.shown)
        host = parts.hostname or ""
        return "" if parts.scheme == "unix" or host in ("localhost", "127.0.0.1", "::1") else host

    def flags(self) -> list[str]:
        """For the docker command, so that it talks to the same engine."""
        if self.url is None or self.of_context:
            return []
        words = ["--host", self.url]
        if self.tls is not None:
            words += ["--tlsverify", "--tlscacert", str(self.tls.ca), "--tlscert", str(self.tls.cert)]
            words += ["--tlskey", str(self.tls.key)]
        return words


def endpoint(engine: str | None, tls: Tls | None, base: Path) -> Endpoint:
    """Where the options, else the environment, say that the engine is. Relative files belong to ``base``."""
    if engine is not None:
        absolute = tls and Tls(ca=base / tls.ca, cert=base / tls.cert, key=base / tls.key)
        return Endpoint(engine, absolute)
    if url := os.environ.get("DOCKER_HOST"):
        return Endpoint(_spelled(url))
    url = _context_host()
    return Endpoint(url, of_context=url is not None)


def _spelled(url: str) -> str:
    """``DOCKER_HOST`` may be a bare ``host:port``."""
    return url if "://" in url else f"tcp://{url}"


def _context_host() -> str | None:
    """The engine of the docker command's current context; None for the default one."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):  # the docker command goes on without it, too
        config = {}
    name = os.environ.get("DOCKER_CONTEXT") or config.get("currentContext")
    if not name or name == "default":
        return None
    file = folder / "contexts" / "meta" / sha256(name.encode()).hexdigest() / "meta.json"
    try:
        return str(json.loads(file.read_bytes())["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Permanent(
            f"the docker context {name} cannot be read: {error}",
            hint="docker context ls shows which there are; or write engine: in poorwill.yaml",
        ) from error
