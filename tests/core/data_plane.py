"""Envoy as the world sees it: it outlives control planes, moves requests and counts them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.control.fake_provider import Cloud
from tests.control.virtual_time import VirtualLoop

from poorwill.core.door import Gate, GateState, Member, Membership
from poorwill.errors import GatewayError

NAME = "notes"


@dataclass(slots=True)
class Flow:
    """A request that is open in Envoy. ``moves``: talking (2 kB/s), keep-alive (60 B each 15 s), silent."""

    kind: str
    moves: str
    begun: float
    ends_at: float

    def bytes(self, now: float) -> int:
        spent = min(now, self.ends_at) - self.begun
        return {"talking": int(spent * 2000), "keep-alive": int(spent // 15) * 60, "silent": 0}[self.moves]

    def worked_at(self, now: float) -> float:
        """When it last did something that counts as work."""
        return now if self.kind == "busy" or self.moves == "talking" else self.begun


class Envoy:
    """The data plane. ``open`` is what it really does, ``wish`` what its files say."""

    def __init__(self, cloud: Cloud, loop: VirtualLoop) -> None:
        self.cloud, self.loop = cloud, loop
        self.open = self.wish = False
        self.closed_at = 0.0
        self.flip_takes = 0.005
        self.answers_stats = True
        self.blind_at = 0.0
        self._flows: list[Flow] = []
        self._ended = {"active": [0, 0], "busy": [0, 0]}

    def set(self, wish: bool) -> None:
        self.wish = wish
        self.loop.call_later(self.flip_takes / 2, self._apply)

    def _apply(self) -> None:
        if self.open and not self.wish:
            self.closed_at = self.loop.time()
        self.open = self.wish

    def flows(self) -> list[Flow]:
        now = self.loop.time()
        alive = self.cloud.answers()
        for flow in [f for f in self._flows if not alive or f.ends_at <= now]:
            self._flows.remove(flow)
            self._ended[flow.kind][0] += 1
            self._ended[flow.kind][1] += flow.bytes(now)
        return self._flows

    def begin(self, kind: str, moves: str, lasts: float) -> bool:
        """A request goes to the instance; false when nobody is there."""
        self.flows()
        if not self.cloud.answers():
            return False
        now = self.loop.time()
        self._flows.append(Flow(kind, moves, now, now + lasts))
        return True

    def end_flows(self, which: Callable[[Flow], bool]) -> None:
        for flow in self._flows:
            if which(flow):
                flow.ends_at = self.loop.time()

    def restart(self) -> None:
        self._flows.clear()
        self._ended = {"active": [0, 0], "busy": [0, 0]}

    async def stats(self, pattern: str) -> dict[str, int | str]:
        await asyncio.sleep(0.001)
        if not self.answers_stats:
            self.blind_at = self.loop.time()
            raise GatewayError("envoy does not answer")
        found: dict[str, int | str] = {}
        now, flows = self.loop.time(), self.flows()
        for kind, (requests, moved) in self._ended.items():
            mine = [flow for flow in flows if flow.kind == kind]
            stem = f"cluster.{NAME}/{kind}.upstream"
            found[f"{stem}_rq_active"] = len(mine)
            found[f"{stem}_rq_total"] = requests + len(mine)
            found[f"{stem}_cx_rx_bytes_total"] = moved + sum(flow.bytes(now) for flow in mine)
        return {name: value for name, value in found.items() if re.match(pattern, name)}


class Board:
    """The switchboard of one life of the control plane."""

    def __init__(self, envoy: Envoy, changed: Callable[[str], None]) -> None:
        self._envoy, self._changed = envoy, changed
        self._token = 0
        self._pending = False
        self.dead = False
        self._move()

    def gate(self, _: str) -> Gate:
        return self._gate

    def confirmed(self, _: str) -> bool:
        return not self._pending

    def open(self, _: str) -> None:
        self._envoy.set(True)
        self._move()

    def close(self, _: str) -> None:
        self._envoy.set(False)
        self._move()

    def route(self, service: str, instance: str, target: Any) -> None:
        """Endpoints are not part of this world."""

    def wish(self, service: str, instance: str, wish: Membership) -> None:
        """There is one instance, which is always sent what the gate lets through."""

    def member(self, service: str, instance: str) -> Member:
        return Member(Membership.IN)

    def _move(self) -> None:
        self._gate = Gate(GateState.MOVING, self._envoy.loop.time())
        self._pending, self._token = True, self._token + 1
        self._envoy.loop.call_later(self._envoy.flip_takes, self._confirm, self._token)

    def _confirm(self, token: int) -> None:
        if token != self._token or self.dead:
            return
        state = GateState.OPEN if self._envoy.wish else GateState.CLOSED
        self._gate, self._pending = Gate(state, self._envoy.loop.time()), False
        self._changed(NAME)
