"""Who did what to a container: from the engine's events to one line for the journal. No clock, no I/O.

The engine does not say who called it. So what Poorwill itself asks for is noted here before the call, and
every event that does not come of it was somebody else's doing, the container's own, or Docker's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from poorwill.providers.docker.state import ending

KINDS = ("start", "die", "kill", "stop", "pause", "unpause", "oom", "destroy", "rename", "health_status")
"""The events that are asked for; ``exec`` and the like come many times a minute."""

_RESTARTS = ("always", "unless-stopped", "on-failure")


@dataclass(slots=True)
class _Life:
    """``asked`` is what Poorwill asked for last: up, down, or nothing. ``signals`` reached it in this life.
    ``pending`` is an end whose cause the next event may tell.
    """

    asked: str = ""
    signals: list[int] = field(default_factory=list)
    oom: bool = False
    pending: str = ""
    how: str = ""
    thawed: str = ""


class Deeds:
    """``note`` takes a line for the journal. Names in it are the containers'."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._lives: dict[str, _Life] = {}

    def ask_up(self, container: str, *, frozen: bool = False) -> None:
        """``frozen``: it is going to go on after a pause."""
        life = self._life(container)
        life.asked = "up"
        if frozen:
            life.thawed = _name()

    def ask_down(self, container: str) -> None:
        self._life(container).asked = "down"

    def how(self, container: str) -> str:
        """What is known of who ended its last life; empty when nothing is."""
        return self._life(container).how

    def is_ours(self, container: str) -> bool:
        """Whether Poorwill put it down."""
        return self._life(container).asked == "down"

    def thawed(self, container: str) -> str:
        """A name for its life since it last went on after a pause: to the engine that is no new life."""
        return self._life(container).thawed

    def remember(self, container: str, thawed: str) -> None:
        """What ``thawed`` told an earlier life of the control plane."""
        self._life(container).thawed = thawed

    def happened(self, event: Mapping[str, Any], policy: str) -> bool:
        """Take in one event. Returns whether an end was seen whose cause the next event may tell."""
        container, told = event["Actor"]["ID"], event["Actor"].get("Attributes") or {}
        life, name = self._life(container), told.get("name", container[:12])
        match event["Action"].partition(":")[0]:
            case "kill":
                life.signals.append(_number(told.get("signal", "")))
            case "oom":
                life.oom = True
            case "die":
                self._died(life, name, _number(told.get("exitCode", "")), policy)
            case "stop":
                if life.pending:
                    life.how = "somebody else stopped it (docker stop)"
                    self._note(f"somebody else stopped the container {name} (docker stop)")
                life.pending = ""
            case "start":
                self._started(life, name, policy)
            case "pause":
                if life.asked != "down":
                    life.asked, life.how = "", "somebody else paused it (docker pause)"
                    self._note(f"somebody else paused the container {name} (docker pause)")
            case "unpause":
                if life.asked != "up":
                    life.thawed = _name()
                    self._note(f"somebody else let the container {name} go on (docker unpause)")
                life.asked, life.how = "", ""
            case "destroy":
                if life.asked != "down":
                    self._note(f"somebody else removed the container {name}")
                self._lives.pop(container, None)
        return bool(life.pending)

    def settle(self, cause: str = "") -> None:
        """No further event explains the ends that are pending. ``cause`` is what is known otherwise."""
        for life in self._lives.values():
            if life.pending:
                life.how = cause or life.pending.partition(": ")[2]
                self._note(f"{life.pending}; {cause}" if cause else life.pending)
                life.pending = ""

    def _died(self, life: _Life, name: str, code: int, policy: str) -> None:
        signals, oom = life.signals, life.oom
        life.signals, life.oom, life.how = [], False, ""
        if life.asked == "down":
            return
        life.asked = ""
        again = f"; Docker starts it again, as restart: {policy} says" if _restarts(policy, code) else ""
        if oom:
            life.how = ending(code, oom=True)
            self._note(f"the container {name} ran {life.how}{again}")
        elif 9 in signals and len(signals) == 1:
            life.how = "somebody else killed it (signal 9)"
            self._note(f"the container {name} was killed (signal 9) outside Poorwill")
        elif signals:  # docker stop, or only a signal: the next event tells
            life.pending = f"the container {name} was ended outside Poorwill: signal {signals[0]}"
        else:
            life.how = ending(code)
            self._note(f"the container {name} ended by itself: {life.how}{again}")

    def _started(self, life: _Life, name: str, policy: str) -> None:
        life.signals, life.oom = [], False
        if life.asked != "up":
            also = f", or Docker did, as restart: {policy} says" if policy in _RESTARTS else ""
            self._note(f"somebody else started the container {name}{also}")
        life.asked, life.how = "", ""

    def _life(self, container: str) -> _Life:
        return self._lives.setdefault(container, _Life())


def _name() -> str:
    return uuid4().hex[:8]  # no count: a restart would begin it again, and take one life for another


def _restarts(policy: str, code: int) -> bool:
    return policy in ("always", "unless-stopped") or (policy == "on-failure" and code != 0)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
