"""Budgets with the real program: over the limit in the middle of a request, over restarts, and raised."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

HTML = {"accept": "text/html", "accept-language": "zh"}
LIMIT = 5
"""Seconds that a service may be there, at one CNY each."""


def noon() -> str:
    """A time zone in which it is about noon: no day ends while a test looks."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def services(folder: Path) -> dict[str, Json]:
    def bound(name: str, at_limit: str, idle_after: str) -> Json:
        money = {"amount": LIMIT, "per": "day", "at_limit": at_limit}
        made = service(folder, name, idle_after=idle_after, traffic={"busy": ["/**"]})
        return {**made, "price": {"per_hour": 3600}, "budget": money}

    return {
        "closed": bound("closed", "closed", "1m"),
        "careful": bound("careful", "no_wake", "1s"),
        "wordy": bound("wordy", "warn", "1m"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services, currency="CNY", timezone=noon())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tasks(request: pytest.FixtureRequest, gateway: Up) -> AsyncIterator[Told]:
    async for begun in told(chosen(request), gateway):
        yield begun


def marks(gateway: Up, name: str) -> list[float]:
    return [one["detail"]["percent"] for one in gateway.events(name, "alert")]


async def until_spent(gateway: Up, name: str) -> Json:
    async def spent() -> Json | None:
        (budget,) = (await gateway.status(name))["budgets"]
        return budget if (budget["percent"] or 0) >= 100 else None

    found: Json = await until(spent, f"the budget of {name} is used up", every=0.05)
    return found


async def what_is_open_ends_and_the_next_visitor_reads_when_it_opens(gateway: Up) -> None:
    client = gateway.client()
    open_work = asyncio.create_task(client.post(f"/?seconds={2 * LIMIT}", headers=host("closed")))
    await gateway.until_phase("closed", "draining")
    assert not open_work.done()
    refused = await client.post("/", headers=host("closed"))
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (503, "budget_used_up")
    assert 0 < int(refused.headers["retry-after"]) == error["retry_after"] <= 86400
    assert "T00:00:00" in error["next_opening"]
    assert (await open_work).status_code == 200
    await gateway.until_phase("closed", "asleep")
    page = await client.get("/", headers={**host("closed"), **HTML})
    assert page.status_code == 503
    assert "今天的使用额度已用完" in page.text
    said = await gateway.cli("wake", "closed")
    assert said.code == 1
    assert "closed stays asleep until" in said.err
    assert "poorwill reload" in said.err
    assert gateway.starts("closed") == 1


async def what_is_awake_goes_on_and_requests_wake_it_no_more(gateway: Up) -> None:
    client = gateway.client()
    assert (await client.post(f"/?seconds={LIMIT + 1}", headers=host("careful"))).status_code == 200
    budget = await until_spent(gateway, "careful")
    assert budget["in_force"]
    await gateway.until_phase("careful", "asleep")
    refused = await client.post("/", headers=host("careful"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "budget_used_up")
    assert gateway.starts("careful") == 1
    await gateway.post("/api/v1/services/careful/wake", {})
    assert (await client.post("/", headers=host("careful"))).status_code == 200


async def who_only_warns_stays_open(gateway: Up) -> None:
    client = gateway.client()
    assert (await client.post("/", headers=host("wordy"))).status_code == 200
    assert not (await until_spent(gateway, "wordy"))["in_force"]
    await until(lambda: marks(gateway, "wordy") == [50.0, 80.0, 100.0], "each mark is told once")
    assert (await client.post("/", headers=host("wordy"))).status_code == 200


STORIES: list[Story] = [
    what_is_open_ends_and_the_next_visitor_reads_when_it_opens,
    what_is_awake_goes_on_and_requests_wake_it_no_more,
    who_only_warns_stays_open,
]


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, tasks: Told) -> None:
    await tasks[story.__name__]


@pytest.mark.slow
async def test_a_restart_keeps_it_and_a_larger_budget_opens_it(gateway: Up, tasks: Told) -> None:
    """After the stories: it is used up already when this life of the control plane begins."""
    await asyncio.gather(*tasks.values())
    client = gateway.client()
    for end in (gateway.kill9, gateway.terminate):
        ended = end()
        if ended is not None:
            await ended
        held = asyncio.create_task(client.post("/", headers=host("closed")))
        await gateway.start()
        assert (await held).json()["error"]["code"] == "budget_used_up"
    assert gateway.starts("closed") == 1
    assert marks(gateway, "closed") == [50.0, 80.0, 100.0]
    gateway.services["closed"]["budget"]["amount"] = 400
    gateway.write()
    await gateway.post("/api/v1/services/closed/auto", {})
    await gateway.post("/api/v1/reload")
    assert (await client.post("/", headers=host("closed"))).status_code == 200
    await until(lambda: marks(gateway, "closed")[-1] == 0.0, "it is told that it is over")
