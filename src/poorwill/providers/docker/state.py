"""What the engine says of one container, in the words of the contract. Pure: JSON in, facts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from poorwill.core.model import Condition
from poorwill.providers.docker.naming import is_one_off, service_of

_CONDITIONS = {
    "created": Condition.ABSENT,
    "running": Condition.RUNNING,
    "paused": Condition.ABSENT,
    "restarting": Condition.ABSENT,
    "removing": Condition.STOPPING,
    "exited": Condition.ABSENT,
    "dead": Condition.ABSENT,
}
"""A paused container answers nobody and is woken like one that ended: it is asleep. One that Docker is about
to restart has ended, too: visitors wait, and the end is written down.
"""

KILLED = 128 + 9


@dataclass(frozen=True, slots=True)
class Seen:
    """One container. ``exit_code`` is that of a life that is over. ``health`` is empty without a check.
    ``restarts`` counts how often Docker itself has started it again since somebody started it.
    """

    id: str
    name: str
    status: str
    life: str
    labels: Mapping[str, str]
    exit_code: int | None
    oom: bool
    error: str
    finished: str
    health: str
    health_says: str
    policy: str
    image: str
    network_mode: str
    ports: Mapping[str, list[Mapping[str, str]] | None]
    bindings: Mapping[str, list[Mapping[str, str]] | None]
    exposed: tuple[str, ...]
    ip: str
    restarts: int = 0
    started: str = ""

    @property
    def since(self) -> float | None:
        """When this life began, by the engine's clock; None before the first one."""
        return _instant(self.started) if self.status != "created" else None

    @property
    def until(self) -> float | None:
        """When it ended, by the engine's clock; None while it goes on, or is frozen."""
        return _instant(self.finished) if self.exit_code is not None else None

    @property
    def condition(self) -> Condition:
        """A status that this version does not know is ``unknown``, never ``absent``."""
        return _CONDITIONS.get(self.status, Condition.UNKNOWN)

    @property
    def is_up(self) -> bool:
        """Whether a process of it exists and is not frozen."""
        return self.status == "running"

    @property
    def holds(self) -> bool:
        """Whether there is something to stop: memory that a paused one holds, a restart that is to come."""
        return self.status in ("running", "paused", "restarting")

    @property
    def service(self) -> str:
        return service_of(self.labels)

    @property
    def is_one_off(self) -> bool:
        return is_one_off(self.labels)

    def epitaph(self) -> str:
        """How it ended, or why it does not run."""
        match self.status:
            case "created":
                return self.error or "it was never started"
            case "paused":
                return "paused: its memory is kept"
            case "dead":
                return "the engine could not remove it: docker rm -f"
            case "restarting":
                return f"{ending(self.exit_code, self.oom)}; Docker is about to start it again"
        if self.error:
            return f"{self.error} ({ending(self.exit_code, self.oom)})"
        return ending(self.exit_code, self.oom)


def ending(code: int | None, oom: bool = False) -> str:
    """An exit code in words."""
    if code is None:
        return "ended"
    if oom:
        return f"out of memory: the kernel ended it (exit code {code})"
    if code == KILLED:
        return "exit code 137: killed (signal 9)"
    if code == 127:
        return "exit code 127: a command in it was not found"
    if code == 126:
        return "exit code 126: a command in it may not be executed"
    if 128 < code < 160:
        return f"exit code {code}: ended by signal {code - 128}"
    return f"exit code {code}"


def read(told: Mapping[str, Any]) -> Seen:
    """From what ``GET /containers/ID/json`` answers."""
    state, config, host = told["State"], told.get("Config") or {}, told.get("HostConfig") or {}
    network = told.get("NetworkSettings") or {}
    status = str(state.get("Status", ""))
    health = state.get("Health") or {}
    checks = health.get("Log") or []
    over = status in ("exited", "dead", "restarting")
    return Seen(
        id=told["Id"],
        name=str(told.get("Name", "")).removeprefix("/"),
        status=status,
        life=f"{told['Id'][:12]} {state.get('StartedAt', '')}",
        labels=config.get("Labels") or {},
        exit_code=int(state.get("ExitCode", 0)) if over else None,
        oom=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
        finished=str(state.get("FinishedAt", "")),
        health=str(health.get("Status", "")).replace("none", ""),
        health_says=str(checks[-1].get("Output", "")).strip() if checks else "",
        policy=str((host.get("RestartPolicy") or {}).get("Name") or "no"),
        image=str(config.get("Image", "")),
        network_mode=str(host.get("NetworkMode", "")),
        ports=network.get("Ports") or {},
        bindings=host.get("PortBindings") or {},
        exposed=tuple(config.get("ExposedPorts") or ()),
        ip=_ip(network),
        restarts=int(told.get("RestartCount") or 0),
        started=str(state.get("StartedAt", "")),
    )


def _instant(text: str) -> float | None:
    """Seconds since the epoch; None for the year 1, which is how the engine says never."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told.timestamp() if told.year > 1 and told.tzinfo is not None else None


def _ip(network: Mapping[str, Any]) -> str:
    """The container's address on the first of its networks that gives it one."""
    if network.get("IPAddress"):
        return str(network["IPAddress"])
    for one in (network.get("Networks") or {}).values():
        if one.get("IPAddress"):
            return str(one["IPAddress"])
    return ""
