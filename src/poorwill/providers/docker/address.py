"""Where a container answers: its published port, else its own address. Both may change with its id."""

from __future__ import annotations

import ipaddress
import sys

from poorwill.errors import Permanent
from poorwill.providers.docker.state import Seen

_ANYWHERE = ("", "0.0.0.0", "::")  # compared, not bound


def check(seen: Seen, port: int | None, host: str) -> None:
    """Before a start: raise Permanent when nobody could tell afterwards where it answers."""
    _choose(seen, port, host)


def of(seen: Seen, port: int | None, host: str) -> str:
    """``host:port`` of a running container. ``host`` is where the engine is; empty for this host.

    Raises Permanent when it cannot be told.
    """
    chosen = _choose(seen, port, host)
    if seen.network_mode == "host":
        return _joined(host or "127.0.0.1", chosen)
    for published in seen.ports.get(f"{chosen}/tcp") or ():
        ip, number = published.get("HostIp", ""), int(published["HostPort"])
        if ip in _ANYWHERE:
            return _joined(host or "127.0.0.1", number)
        if not host or not ipaddress.ip_address(ip).is_loopback:
            return _joined(ip, number)
        raise Permanent(
            f"{seen.name} publishes port {chosen} for its own host only ({ip}), and that is {host}",
            hint="publish it on an address that can be reached from here, or say where it answers: address:",
        )
    return _joined(seen.ip, chosen)


def _choose(seen: Seen, port: int | None, host: str) -> int:
    """The port inside the container."""
    published = _numbers(seen.bindings) or _numbers(seen.ports)
    exposed = _numbers(dict.fromkeys(seen.exposed))
    if port is not None:
        candidates = [port]
    else:
        candidates = published or exposed
    if not candidates:
        raise Permanent(
            f"{seen.name} publishes no port, so it cannot be told where it answers",
            hint="say which port it listens on: port: 8000, or say where it answers: address:",
        )
    if len(candidates) > 1:
        raise Permanent(
            f"{seen.name} has several ports: {', '.join(map(str, candidates))}",
            hint=f"say which one visitors' requests go to: port: {candidates[0]}",
        )
    if candidates[0] not in published and seen.network_mode != "host":
        _check_reach(seen, candidates[0], host)
    return candidates[0]


def _check_reach(seen: Seen, port: int, host: str) -> None:
    hint = f"publish it, such as -p 127.0.0.1:{port}:{port}, or say where it answers: address:"
    if seen.network_mode == "none":
        raise Permanent(f"{seen.name} has no network", hint="give it one, and publish its port")
    if host or sys.platform != "linux":
        raise Permanent(
            f"port {port} of {seen.name} is not published, and only its host reaches it", hint=hint
        )


def _numbers(ports: object) -> list[int]:
    """The TCP ports of ``{"8000/tcp": …, "53/udp": …}``, sorted."""
    found = ports if isinstance(ports, dict) else {}
    return sorted(int(name.partition("/")[0]) for name in found if name.partition("/")[2] in ("", "tcp"))


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
