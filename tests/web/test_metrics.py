"""The page for Prometheus, read with Prometheus' own reader."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from tests.patience import PATIENCE

from poorwill import __version__, clock
from poorwill.core.counts import Counts
from poorwill.core.model import Phase
from poorwill.core.waits import Waits
from poorwill.errors import GatewayError
from poorwill.store.journal import Entry, Journal, Kind
from poorwill.web.metrics import Measured, Metrics
from poorwill.web.tally import Tally

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
ROW = {
    "name": "notes",
    "phase": "awake",
    "desired": 2,
    "gate": "open",
    "checks": 41,
    "debt": None,
    "instances": [
        {
            "id": "notes-1",
            "condition": "running",
            "phase": "awake",
            "ready": True,
            "in_flight": 4,
            "age": 12.5,
            "served": 77,
        },
        {"id": "notes-2", "condition": "starting", "ready": False},
        {"id": "notes-3", "condition": "absent", "ready": False},
    ],
}
COUNTS = Counts(
    at=1.0,
    begun=10,
    ended=9,
    errors=2,
    took={(0.0, 0.001): 3, (0.25, 0.26): 1, (2.4, 2.5): 2, (400.0, 410.0): 1},
    lined=4,
    waited=6.5,
    open=1,
    queued=2,
    held=3,
    waits=Waits(waited=3, seconds=40.5, longest=20.0, gave_up=5, refused=6),
)


class Desk:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [ROW]

    def status(self) -> list[dict[str, Any]]:
        return self.rows


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = await Journal.open(tmp_path)
    yield made
    await made.close()


async def counts() -> Mapping[str, Counts]:
    return {"notes": COUNTS}


async def silent() -> Mapping[str, Counts]:
    raise GatewayError("Envoy's admin interface does not answer")


def measured() -> Measured:
    return {"notes": ({"cpu": 12.5}, {'vllm:waiting at "there"': "gone"})}


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(page: bytes) -> Samples:
    families = text_string_to_metric_families(page.decode())
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value for fam in families for one in fam.samples
    }


def service(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return f"poorwill_service_{name}", tuple(sorted({"service": "notes", **labels}.items()))


async def read(journal: Journal, **given: Any) -> Samples:
    page, kind = await Metrics(**{**_given(journal), **given}).page("")
    assert kind.startswith("text/plain")
    return samples(page)


def _given(journal: Journal) -> dict[str, Any]:
    return {"desk": Desk(), "counts": counts, "measured": measured, "tally": Tally(journal)}


async def test_the_service_and_its_instances(journal: Journal) -> None:
    seen = await read(journal)
    assert seen["poorwill_build_info", (("version", __version__),)] == 1
    assert {str(one): seen[service("phase", phase=str(one))] for one in Phase} == {
        str(one): float(one is Phase.AWAKE) for one in Phase
    }
    assert seen[service("instances", phase="awake")] == 1
    assert seen[service("instances", phase="starting")] == 1
    assert service("instances", phase="absent") not in seen
    assert seen[service("desired_instances")] == 2
    assert (seen[service("gate_open")], seen[service("gate_checks_total")]) == (1, 41)
    assert seen[service("debt")] == 0
    first = (("instance", "notes-1"), ("service", "notes"))
    assert seen["poorwill_instance_open_requests", first] == 4
    assert seen["poorwill_instance_age_seconds", first] == 12.5
    assert seen["poorwill_instance_requests_total", first] == 77
    assert seen["poorwill_instance_ready", first] == 1
    assert seen["poorwill_instance_ready", (("instance", "notes-2"), ("service", "notes"))] == 0


async def test_requests(journal: Journal) -> None:
    seen = await read(journal)
    assert seen["poorwill_envoy_up", ()] == 1
    values = [seen[service(f"{name}_total")] for name in ("requests", "responses", "errors")]
    assert values == [10, 9, 2]
    waits = [seen[service(f"{name}_requests")] for name in ("open", "queued", "held")]
    assert waits == [1, 2, 3]
    name = "request_duration_seconds"
    below = [
        seen[service(f"{name}_bucket", le=le)]
        for le in ("0.005", "0.25", "0.5", "1.0", "2.5", "300.0", "+Inf")
    ]
    assert below == [3, 3, 4, 4, 6, 6, 7]
    assert seen[service(f"{name}_count")] == 7
    assert seen[service(f"{name}_sum")] == pytest.approx(0.0015 + 0.255 + 4.9 + 405)
    assert (seen[service("slot_wait_seconds_count")], seen[service("slot_wait_seconds_sum")]) == (4, 6.5)
    assert (seen[service("start_wait_seconds_count")], seen[service("start_wait_seconds_sum")]) == (3, 40.5)
    assert (seen[service("gave_up_total")], seen[service("refused_total")]) == (5, 6)


async def test_numbers_of_rules(journal: Journal) -> None:
    seen = await read(journal)
    assert seen[service("measured", metric="cpu")] == 12.5
    assert seen[service("measured_up", metric="cpu")] == 1
    assert seen[service("measured_up", metric='vllm:waiting at "there"')] == 0


async def test_without_envoy_the_rest_is_told(journal: Journal) -> None:
    seen = await read(journal, counts=silent)
    assert seen["poorwill_envoy_up", ()] == 0
    assert seen[service("desired_instances")] == 2
    assert service("requests_total") not in seen


async def test_what_happened_is_counted_from_the_journal(journal: Journal) -> None:
    tally = Tally(journal)
    task = asyncio.get_running_loop().create_task(tally.run())
    await asyncio.sleep(0)
    now = clock.now()
    entries = [Entry(Kind.START, "notes"), Entry(Kind.READY, "notes", detail={"seconds": 7.25})]
    await journal.append(now, *entries, Entry(Kind.START, "notes"), Entry(Kind.READY, "notes"))
    async with asyncio.timeout(PATIENCE):
        while tally.count("notes", Kind.READY) < 2:
            await asyncio.sleep(0.01)
    seen = await read(journal, tally=tally)
    assert seen[service("starts_total")] == 2
    assert seen["poorwill_events_total", (("kind", "ready"), ("service", "notes"))] == 2
    assert seen[service("wake_duration_seconds_bucket", le="5.0")] == 0
    assert seen[service("wake_duration_seconds_bucket", le="15.0")] == 1
    assert seen[service("wake_duration_seconds_sum")] == pytest.approx(7.2, abs=0.06)
    await journal.close()
    await asyncio.wait_for(task, PATIENCE)


async def test_who_asks_for_open_metrics_gets_them(journal: Journal) -> None:
    page, kind = await Metrics(**_given(journal)).page(
        "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    )
    assert kind.startswith("application/openmetrics-text")
    assert any(family.name == "poorwill_service_requests" for family in open_metrics(page.decode()))


async def test_the_reference_has_every_name_and_no_other(journal: Journal) -> None:
    page, _ = await Metrics(**_given(journal)).page("")
    told = set(re.findall(r"^# TYPE (\w+) (\w+)$", page.decode(), re.MULTILINE))
    written = set(re.findall(r"^\| `(poorwill_\w+)` \| (\w+) \|", REFERENCE.read_text(), re.MULTILINE))
    assert told == written
