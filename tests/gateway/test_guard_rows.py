"""No way leads past the guard: neither by a row of the routes nor by a mark that leads to another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.gateway.guarded import ANN, GUARD, ask, guarded_house
from tests.gateway.real_envoy import STRAY, House

from poorwill.gateway.bystanders import Answer, Bystanders, Kind
from poorwill.gateway.clusters import Slots
from poorwill.gateway.guard import LUA, RBAC
from poorwill.gateway.routes import Site, virtual_hosts

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with guarded_house(tmp_path_factory.mktemp("house"), "kb", "asleep") as made:
        yield made


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("is_fresh", [False, True])
@pytest.mark.parametrize("slots", [None, Slots(1), Slots(1, ("/work", "POST /x/*"), busy=True)])
async def test_no_row_leads_past_the_guard(is_open: bool, is_fresh: bool, slots: Slots | None) -> None:
    patterns = {"busy": ("POST /work", "GET /job"), "background": ("/tick/*",), "active": ("/x",)}
    ways = Bystanders(
        answers=dict.fromkeys(Kind, Answer.ASLEEP),
        also={Kind.MONITOR: ("mine",), Kind.NUISANCE: ("/old/*",)},
        welcome=("/old/yes",),
    )
    site = Site("kb", hosts=("kb.test", "*.kb.test"), path="/kb", patterns=patterns, guard=GUARD)
    site = replace(site, bystanders=ways, slots=slots, paced=slots is not None)
    known = frozenset({"kb"})
    none: frozenset[str] = frozenset()
    hosts = virtual_hosts([site], known if is_open else none, STRAY, known if is_fresh else none)
    rows = [row for host in hosts for row in host["routes"] if "direct_response" not in row]
    assert len(rows) > 10
    for row in rows:
        assert {LUA, RBAC} <= row["typed_per_filter_config"].keys(), row["match"]


@pytest.mark.parametrize(
    ("agent", "path", "method", "told"),
    [
        ("compatible; Googlebot/2.1", "/", "GET", 503),
        ("Mozilla/5.0 zgrab/0.x", "/", "GET", 503),
        ("UptimeRobot/2.0", "/", "GET", 401),
        ("kube-probe/1.31", "/", "GET", 200),
        ("curl/8", "/wp-login.php", "GET", 503),
        ("curl/8", "/", "HEAD", 401),
    ],
)
async def test_who_only_looks_needs_one_too_when_there_is_something_to_see(
    house: House, agent: str, path: str, method: str, told: int
) -> None:
    """Asleep, Envoy's own answer tells everybody the same; who asks more is asked for it as well."""
    asked = {"method": method, "user_agent": agent}
    assert (await ask(house, path, **asked)).status_code == 401
    assert (await ask(house, path, **asked, **ANN)).status_code == 200
    before = house.doors["asleep"].checks
    asleep = await ask(house, path, host="asleep.test", **asked)
    assert asleep.status_code == told
    assert house.doors["asleep"].checks == before
