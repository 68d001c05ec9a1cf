"""What the engine, or the way to it, complains about, in words that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from poorwill.errors import Permanent, ProviderError, Temporary


@contextmanager
def complaints(engine: str) -> Iterator[None]:
    """Turn what aiodocker and the network raise into a ProviderError. ``engine`` is its address."""
    import aiodocker
    import aiohttp

    try:
        yield
    except aiodocker.DockerError as error:
        raise _refused(error, engine) from error
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise no_engine(error, engine) from error


def _refused(error: Exception, engine: str) -> ProviderError:
    status, message = getattr(error, "status", 0), str(getattr(error, "message", error)).strip()
    if status >= 900:
        cause = error.__cause__ or error.__context__
        return no_engine(cause if isinstance(cause, Exception) else error, engine)
    low = message.lower()
    if "no such image" in low or ("image" in low and "not found" in low):
        return Permanent(message, hint="pull the image, or build it")
    if "port is already allocated" in low or "address already in use" in low:
        return Temporary(message, hint="`docker ps` and `ss -ltnp` show who has the port; end it")
    if "could not select device driver" in low or "nvidia" in low:
        return Permanent(
            message, hint="the NVIDIA Container Toolkit is missing or broken on the engine's host"
        )
    if status in (400, 403, 404):
        return Permanent(message, hint="see docker inspect and the engine's log")
    return Temporary(message, hint="see the engine's log: journalctl -u docker")


def no_engine(error: Exception, engine: str) -> ProviderError:
    """Nobody answers at the engine's address, or we may not talk to it."""
    reason = getattr(error, "os_error", None) or error
    if isinstance(reason, PermissionError):
        return Permanent(
            f"no permission to talk to the Docker Engine at {engine}",
            hint="add the user that runs Poorwill to the group docker (sudo usermod -aG docker NAME, then "
            "log in anew), or use rootless Docker; the group is as powerful as root",
        )
    certificate = getattr(error, "certificate_error", None) or reason
    if isinstance(certificate, ssl.SSLError):
        return Permanent(
            f"the Docker Engine at {engine} and we do not trust each other: {certificate}",
            hint="check the three files below tls:, and that the engine's certificate names this host",
        )
    if isinstance(reason, FileNotFoundError):
        return Temporary(
            f"there is no Docker Engine at {engine}",
            hint="start it (sudo systemctl start docker), or install it: https://docs.docker.com/engine/install",
        )
    return Temporary(
        f"the Docker Engine at {engine} does not answer: {reason}",
        hint="is it running? On its host: systemctl status docker",
    )
