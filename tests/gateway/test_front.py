"""What the control plane says of a service arrives at its door, and those who wait hear of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.real_envoy import House
from tests.patience import PATIENCE

from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.model import OnRequest
from poorwill.core.using import Use
from poorwill.core.waits import Waits
from poorwill.gateway.activity import Activity
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.front import Front
from poorwill.gateway.uses import COUNTER

CALM: dict[str, Any] = {"refusal": None, "estimate": None, "waking_since": None, "trouble": False}
HOURS = OpeningHours("UTC", ((1.0, 2.0),))


@pytest.fixture
async def front(tmp_path: Path) -> Front:
    house = House(tmp_path)
    nobody = lambda _service: None  # noqa: E731
    return Front({"it": Door("it", 5.0, nobody)}, house.switchboard, Activity(house.admin, nobody), nobody)


@pytest.mark.parametrize(
    "news",
    [
        {"refusal": "by_hand"},
        {"estimate": Estimate(1.0, 2.0, 3)},
        {"waking_since": 7.0},
        {"trouble": True},
        {"entrance": OnRequest.CLOSED},
        {"entrance": OnRequest.PAGE, "hours": HOURS},
    ],
)
async def test_news_reach_those_who_wait_once(front: Front, news: dict[str, Any]) -> None:
    door = front.doors["it"]
    front.show("it", **CALM)
    told = {**CALM, "entrance": OnRequest.WAKE, "hours": None, **news}
    waiting = asyncio.ensure_future(door.change())
    await asyncio.sleep(0)
    front.show("it", **told)
    async with asyncio.timeout(PATIENCE):
        await waiting
    told["refusal"] = Refusal(told["refusal"]) if told["refusal"] else None
    assert {name: getattr(door, name) for name in told} == told
    again = asyncio.ensure_future(door.change())
    await asyncio.sleep(0)
    front.show("it", **{**told, "refusal": news.get("refusal")})
    await asyncio.sleep(0)
    assert not again.done(), "the same once more is no news"
    again.cancel()


async def test_what_is_not_said_is_as_ever(front: Front) -> None:
    front.show("it", **{**CALM, "entrance": OnRequest.CLOSED, "hours": HOURS})
    front.show("it", **CALM)
    door = front.doors["it"]
    assert (door.entrance, door.hours, door.closed) == (OnRequest.WAKE, None, False)


async def test_the_use_of_a_service_is_what_moved_and_who_waited(front: Front) -> None:
    door = front.doors["it"]
    assert front.use("it") == Use()
    front._activity._uses.begun = True
    front._activity._uses.read(
        "it", {f"cluster.it/busy.{COUNTER}": 3, f"cluster.it/slots/active.{COUNTER}": 1}, 20.0
    )
    door.waits.went(2.0, 10.0)
    door.waits.refused(15.0)
    door.waiting = 4
    waits = Waits(waited=1, seconds=2.0, longest=2.0, refused=1)
    assert front.use("it") == Use(4, 10.0, 20.0, waits, waiting=4)
    assert front.use("it") == Use(waiting=4)
    assert front.use("nobody") == Use()
