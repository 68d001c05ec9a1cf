"""What a service cost, told by the program that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until


def services(folder: Path) -> dict[str, Json]:
    priced = service(folder, "priced", idle_after="1m")
    priced["price"] = {"per_hour": 360, "gpu": "A10G"}  # ten cents a second
    return {"priced": priced, "free": service(folder, "free")}


@pytest.mark.slow
async def test_what_it_cost_is_told_while_it_runs(up: Start) -> None:
    costs = {"storage": {"amount": 31, "per": "month"}}
    gateway = await up(services, currency="CNY", costs=costs)
    assert (await gateway.client().get("/", headers=host("priced"))).status_code == 200

    async def charged() -> Json | None:
        rows = {row["name"]: row["cost_today"] for row in await gateway.get("/api/v1/services")}
        assert rows["free"] == []
        return rows["priced"][0] if rows["priced"] and rows["priced"][0]["amount"] else None

    today = await until(charged, "status says what it cost today", every=0.2)
    assert today["currency"] == "CNY"
    assert "cost today" in (await gateway.cli("status")).out

    told = await _by_api(gateway, month="this", name="priced")
    [line] = told["services"]
    assert (line["name"], line["starts"], line["currency"]) == ("priced", 1, "CNY")
    assert line["amount"] == pytest.approx(line["paid_seconds"] / 10, abs=1e-6)
    assert 0 < line["seconds"] <= line["paid_seconds"] < line["seconds"] + 1.001

    gateway.services["priced"]["price"]["per_hour"] = 0
    gateway.write()
    assert (await gateway.cli("reload")).code == 0
    await until(lambda: len(gateway.events("priced", "terms")) == 2, "the new price is written down")
    stated = [event["detail"]["price"]["per_hour"] for event in gateway.events("priced", "terms")]
    assert stated == ["360", "0"]

    assert (await gateway.cli("sleep", "priced")).code == 0
    await gateway.until_phase("priced", "asleep")
    after = (await gateway.cli("cost", "--month", "this", "--format", "json")).json()
    [line] = [one for one in after["services"] if one["name"] == "priced"]
    assert today["amount"] <= line["amount"] < line["paid_seconds"] / 10  # the last seconds were free
    assert line["unconfirmed_seconds"] < line["seconds"]
    assert [one["name"] for one in after["costs"]] == ["storage"]


async def _by_api(gateway: Up, **asked: str) -> Any:
    token = (gateway.state / "admin-token").read_text().strip()
    url = f"http://127.0.0.1:{gateway.admin}/api/v1/cost"
    async with httpx2.AsyncClient() as client:
        assert (await client.get(url)).status_code == 401
        bearer = {"authorization": f"Bearer {token}"}
        refused = await client.get(url, params={"month": "soon"}, headers=bearer)
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, "soon is no month")
        return (await client.get(url, params=asked, headers=bearer)).json()
