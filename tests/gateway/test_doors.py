"""A door tells who waits at it, and everybody who waits hears of every change."""

from __future__ import annotations

import asyncio

from tests.patience import PATIENCE

from poorwill.core.door import Asked
from poorwill.core.model import OnRequest
from poorwill.gateway.doors import CLICK_LASTS, Door, Refusal


def door(asked: list[str] | None = None) -> Door:
    return Door("it", 5.0, (asked if asked is not None else []).append)


def test_asking_is_remembered_and_told() -> None:
    asked: list[str] = []
    one = door(asked)
    assert one.asked() == Asked(waiting=0, last_at=None)
    one.ask(12.5)
    one.waiting = 3
    assert asked == ["it"]
    assert one.asked() == Asked(waiting=3, last_at=12.5)


async def test_everybody_who_waits_hears_of_a_change() -> None:
    one = door()
    waiting = [asyncio.create_task(one.change()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    one.turn()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*waiting)
    late = asyncio.create_task(one.change())
    await asyncio.sleep(0)
    assert not late.done(), "an old change is none"
    one.let_through(True)
    async with asyncio.timeout(PATIENCE):
        await late


async def test_a_refusal_is_told_once() -> None:
    one = door()
    one.refuse(Refusal.BY_HAND)
    waiting = asyncio.create_task(one.change())
    await asyncio.sleep(0)
    one.refuse(Refusal.BY_HAND)
    await asyncio.sleep(0)
    assert not waiting.done()
    one.refuse(None)
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert one.refusal is None


def test_elapsed_is_never_negative_and_zero_without_a_wake() -> None:
    one = door()
    assert one.elapsed(100.0) == 0.0
    one.waking_since = 90.0
    assert one.elapsed(100.0) == 10.0
    assert one.elapsed(80.0) == 0.0


# --- clicks ------------------------------------------------------------------------------------------


def test_a_click_is_remembered_while_somebody_waits() -> None:
    """A stop may be under way, and take minutes. Nobody should have to click again and again."""
    one = door()
    one.entrance = OnRequest.PAGE
    assert one.needs_a_click(0.0)
    one.ask(0.0)
    assert one.needs_a_click(0.0), "asking is no clicking"
    one.click(10.0)
    for now in range(10, 600, 50):
        assert not one.needs_a_click(now)
        one.ask(float(now))
    assert one.needs_a_click(560.0 + CLICK_LASTS)


def test_a_click_is_over_when_it_was_granted() -> None:
    one = door()
    one.entrance = OnRequest.PAGE
    one.click(0.0)
    one.let_through(True)
    one.let_through(False)
    assert one.needs_a_click(1.0)


def test_while_it_wakes_coming_is_enough() -> None:
    one = door()
    one.entrance, one.waking_since = OnRequest.PAGE, 3.0
    assert not one.needs_a_click(1000.0)
