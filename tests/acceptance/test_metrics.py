"""What `/metrics` of the real program says, and to whom."""

from __future__ import annotations

from pathlib import Path

import httpx2
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, host, service, until
from tests.web.test_metrics import Samples, samples

from poorwill.store.folder import control_socket

NOTES = (("service", "notes"),)
WOKE = ("poorwill_service_wake_duration_seconds_count", NOTES)
CPU = ("poorwill_service_measured", (("metric", "cpu"), ("service", "notes")))


RULE = {"metric": "cpu", "threshold": "6400%", "duration": "1m", "action": "add_instance(1)"}
POLICY = {"max_instances": 2, "scale_out": RULE}


def services(folder: Path) -> dict[str, Json]:
    return {
        "notes": service(folder, "notes", idle_after="1m", scale_policy=POLICY),
        "asleep": service(folder, "asleep"),
    }


async def test_what_happened_is_told_to_who_has_the_token(up: Start) -> None:
    gateway = await up(services)
    client = gateway.client()
    for path in ("/", "/", "/status/500"):
        await client.post(path, headers=host("notes"))
    address = f"http://127.0.0.1:{gateway.admin}/metrics"
    token = {"authorization": f"Bearer {(gateway.state / 'admin-token').read_text().strip()}"}
    async with httpx2.AsyncClient(trust_env=False) as anybody:
        assert (await anybody.get(address)).status_code == 401

        async def told() -> Samples | None:
            answer = await anybody.get(address, headers=token)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            seen = samples(answer.content)
            done = seen["poorwill_service_request_duration_seconds_count", NOTES] == 3
            return seen if done and {WOKE, CPU} <= seen.keys() else None

        seen: Samples = await until(told, "all three answers are told", every=0.1)
    assert seen["poorwill_service_requests_total", NOTES] == 3
    assert seen["poorwill_service_errors_total", NOTES] == 1
    assert seen["poorwill_service_starts_total", NOTES] == 1
    assert seen[WOKE] == 1
    assert 0 <= seen[CPU] < 200
    assert seen["poorwill_service_phase", (("phase", "asleep"), ("service", "asleep"))] == 1
    assert seen["poorwill_service_requests_total", (("service", "asleep"),)] == 0
    transport = httpx2.AsyncHTTPTransport(uds=str(control_socket(gateway.state)), verify=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://poorwill") as owner:
        page = samples((await owner.get("/metrics")).content)
    assert page["poorwill_service_phase", (("phase", "awake"), ("service", "notes"))] == 1
