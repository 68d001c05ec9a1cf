"""A service with a ``concurrency`` is never given more at a time, whatever comes and whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.acceptance.lives import New
from tests.acceptance.running import Up, host, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


def asking(gateway: Up, numbers: range, path: str = "/?seconds=0.05") -> list[asyncio.Task[int]]:
    client = gateway.client()

    async def ask(number: int) -> int:
        return (await client.post(f"{path}&number={number}", headers=host("it"))).status_code

    return [asyncio.create_task(ask(number)) for number in numbers]


def numbers(gateway: Up) -> list[int]:
    """Those that reached the service, in that order."""
    return [int(line.rpartition("=")[2]) for line in gateway.requests("it") if "number=" in line]


def trampled(gateway: Up) -> list[str]:
    return [line for line in gateway.seen("it") if "TRAMPLED" in line]


async def one_at_a_time_never_sees_two_and_the_first_come_is_the_first_served(new: New) -> None:
    async with new("--opens-when", "open", "--slots", "1", concurrency=1, idle_after="30s") as gateway:
        waiting = []
        for number in range(20):  # one after another, so that their order is known
            waiting += asking(gateway, range(number, number + 1))
            await gateway.until_waiting("it", number + 1)
        (gateway.folder / "open").touch()
        assert await asyncio.gather(*waiting) == [200] * 20
        assert numbers(gateway) == list(range(20))
        assert trampled(gateway) == []
        assert gateway.starts("it") == 1


async def who_gave_up_is_not_served(new: New) -> None:
    async with new("--opens-when", "open", "--slots", "1", concurrency=1, idle_after="30s") as gateway:
        waiting = asking(gateway, range(40))
        await gateway.until_waiting("it", 40)
        for one in waiting[::2]:
            one.cancel()
        await gateway.until_waiting("it", 20)
        (gateway.folder / "open").touch()
        assert await asyncio.gather(*waiting[1::2]) == [200] * 20
        assert sorted(numbers(gateway)) == list(range(1, 40, 2))


async def who_has_no_slot_waits_in_the_gate_and_no_longer_than_the_hold(new: New) -> None:
    """It starts within three seconds: the second gets its slot in time, the third does not."""
    async with new("--slots", "1", concurrency=1, hold="8s", idle_after="30s") as gateway:
        waiting = asking(gateway, range(5), "/?seconds=4.5")
        await until(lambda: len(numbers(gateway)) == 1, "the first has a slot")
        await gateway.until_waiting("it", 4)
        answers = await asyncio.gather(*waiting)
        assert sorted(answers) == [200, 200, 503, 503, 503]
        assert len(numbers(gateway)) == 2


async def a_dead_control_plane_in_the_middle_of_a_release_costs_nothing(new: New) -> None:
    async with new("--opens-when", "open", "--slots", "2", concurrency=2, idle_after="30s") as gateway:
        waiting = asking(gateway, range(200))
        await gateway.until_waiting("it", 200)
        (gateway.folder / "open").touch()
        for served in (20, 100):
            await until(lambda: len(numbers(gateway)) >= served, f"{served} were served")  # noqa: B023
            gateway.kill9()
            await gateway.start()
        assert await asyncio.gather(*waiting) == [200] * 200
        assert sorted(numbers(gateway)) == list(range(200)), "each exactly once"
        assert trampled(gateway) == []
        assert gateway.starts("it") == 1


async def a_busy_service_gets_its_gate_back_and_loses_it_again(new: New) -> None:
    async with new("--slots", "2", concurrency=2, idle_after="30s") as gateway:
        assert await asyncio.gather(*asking(gateway, range(1))) == [200]
        await gateway.until_phase("it", "awake")
        before = (await gateway.status("it"))["checks"]
        assert await asyncio.gather(*asking(gateway, range(2))) == [200] * 2
        assert (await gateway.status("it"))["checks"] == before, "nobody waits: straight to Envoy"
        flood = asking(gateway, range(2, 40), "/?seconds=0.3")
        await asyncio.sleep(1.0)  # the load, not a wait: what comes later finds the gate
        late = asking(gateway, range(40, 60), "/?seconds=0.01")

        async def many_wait() -> bool:
            return bool((await gateway.status("it"))["waiting"] >= 20)

        await until(many_wait, "who comes late waits in the gate")
        assert (await gateway.status("it"))["phase"] == "awake"
        assert await asyncio.gather(*flood, *late) == [200] * 58
        assert trampled(gateway) == []

        async def straight() -> bool:
            checks = (await gateway.status("it"))["checks"]
            await asyncio.gather(*asking(gateway, range(100, 101)))
            return bool((await gateway.status("it"))["checks"] == checks)

        await until(straight, "Python is out of the path", every=0.3)


async def only_the_named_paths_need_a_slot(new: New) -> None:
    cap = {"limit": 1, "paths": ["/work/**"]}
    async with new(concurrency=cap, idle_after="30s") as gateway:
        client = gateway.client()
        await client.get("/free", headers=host("it"))
        long = asyncio.create_task(client.get("/work/long?seconds=5", headers=host("it")))
        await until(lambda: any("/work/long" in line for line in gateway.seen("it")), "it works")
        next_one = asyncio.create_task(client.get("/work/next", headers=host("it")))
        for _ in range(20):
            assert (await client.get("/free", headers=host("it"))).status_code == 200
        assert [one.done() for one in (long, next_one)] == [False, False], "nobody waited for them"
        assert (await long).status_code == 200
        assert (await next_one).status_code == 200


async def beyond_max_held_they_are_told_when_to_come_again(new: New) -> None:
    settings = {"max_held": 50, "concurrency": 4, "idle_after": "30s"}
    async with new("--opens-when", "open", "--slots", "4", **settings) as gateway:
        client = gateway.client()
        asked = [asyncio.create_task(client.post("/?number=1", headers=host("it"))) for _ in range(80)]
        await gateway.until_waiting("it", 50)
        await until(lambda: sum(one.done() for one in asked) == 30, "the others are told so")
        (gateway.folder / "open").touch()
        answers = await asyncio.gather(*asked)
        refused = [one for one in answers if one.status_code == 503]
        assert len(refused) == 30
        for one in refused:
            assert one.json()["error"]["code"] == "too_many_waiting"
            assert int(one.headers["retry-after"]) >= 1
        assert {one.status_code for one in answers} == {200, 503}
        assert trampled(gateway) == []


STORIES: list[Story] = [
    one_at_a_time_never_sees_two_and_the_first_come_is_the_first_served,
    who_gave_up_is_not_served,
    who_has_no_slot_waits_in_the_gate_and_no_longer_than_the_hold,
    a_dead_control_plane_in_the_middle_of_a_release_costs_nothing,
    a_busy_service_gets_its_gate_back_and_loses_it_again,
    only_the_named_paths_need_a_slot,
    beyond_max_held_they_are_told_when_to_come_again,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, new: New) -> AsyncIterator[Told]:
    async for tasks in told(chosen(request), new, at_once=3):
        yield tasks


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
