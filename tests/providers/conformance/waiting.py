"""Waiting for what happens outside: always for the thing itself, always with a deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from tests.patience import PATIENCE

from poorwill.core.model import Condition
from poorwill.errors import ProviderError, Temporary
from poorwill.providers.base import Handle, Provider, Sighting

DEADLINE = PATIENCE


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something outside asyncio."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not seen within {DEADLINE:g} s: {what}")


async def sighted(provider: Provider, instance: str) -> Sighting | None:
    found = [sighting for sighting in await provider.list() if sighting.instance == instance]
    assert len(found) <= 1
    return found[0] if found else None


async def condition_of(provider: Provider, instance: str) -> Condition:
    """Never listed counts as absent."""
    seen = await sighted(provider, instance)
    return Condition.ABSENT if seen is None else seen.condition


async def sees(provider: Provider, instance: str, wanted: Callable[[Sighting], bool], what: str) -> Sighting:
    """Look until the sighting is as wanted. An instance that is not listed is ABSENT and nothing else."""
    seen = None
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                seen = await sighted(provider, instance) or Sighting(instance, Condition.ABSENT)
                if wanted(seen):
                    return seen
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"{instance} is not {what}: {seen}")


async def becomes(provider: Provider, instance: str, condition: Condition) -> Sighting:
    return await sees(provider, instance, lambda seen: seen.condition is condition, condition)


async def begin(provider: Provider, instance: str) -> Sighting:
    await provider.start(instance, await provider.prepare(instance))
    return await becomes(provider, instance, Condition.RUNNING)


async def hears_hello(provider: Provider, instance: str) -> list[str]:
    """Wait until the instance has got so far as to print; returns the last lines."""
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE):
        while not any("hello" in line for line in lines):
            lines = await provider.log_tail(instance, 5)
            await asyncio.sleep(0.01)
    return lines


async def stays_away(provider: Provider, instance: str, seconds: float) -> None:
    """Look for so long that it does not run."""
    give_up_at = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < give_up_at:
        assert await condition_of(provider, instance) is not Condition.RUNNING
        await asyncio.sleep(0.01)


async def refused(call: Awaitable[object]) -> ProviderError | None:
    """The error of a call that may fail, or None. It must say what happened and what to do."""
    try:
        await call
    except ProviderError as error:
        if not str(error) or not error.hint:
            pytest.fail(f"an error without words or hint: {error!r}")
        return error
    return None


async def end(provider: Provider, instance: str) -> None:
    """Stop as the control room does: again and again, until it is absent."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                await provider.stop(instance)
                if await condition_of(provider, instance) is Condition.ABSENT:
                    return
            except Temporary:
                pass  # asked again below
            await asyncio.sleep(0.05)


async def cut_off(call: asyncio.Task[object], after: float) -> None:
    """Let a call go on for so long, then cancel it. It may be over by then; it must not resist."""
    await asyncio.wait([call], timeout=after)
    call.cancel()
    await asyncio.wait([call], timeout=DEADLINE)
    assert call.done(), "the call does not let itself be cancelled"
    if not call.cancelled() and not isinstance(call.exception(), ProviderError | None):
        call.result()


def through_json(handle: Handle | None) -> Handle:
    """The handle as the journal gives it back."""
    assert handle is not None
    return Handle(handle.instance, json.loads(json.dumps(dict(handle.data))))
