"""Which request goes to which service, and that a stray one wakes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, service

pytestmark = pytest.mark.asyncio(loop_scope="module")


def services(folder: Path) -> dict[str, Json]:
    return {
        "alpha": service(folder, "alpha", idle_after="1m"),
        "alpha-docs": service(folder, "alpha-docs", hosts=["alpha.test"], path="/docs", idle_after="1m"),
        "notes": service(folder, "notes", hosts=[], path="/notes", strip_path=True, idle_after="1m"),
        "wild": service(folder, "wild", hosts=["*.wild.test"], idle_after="1m"),
        "bystander": service(folder, "bystander"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


@pytest.mark.parametrize(
    ("host", "path", "owner", "target"),
    [
        ("alpha.test", "/a?b=c", "alpha", "/a?b=c"),
        ("ALPHA.test:8080", "/port", "alpha", "/port"),
        ("alpha.test", "/docsabc", "alpha", "/docsabc"),
        ("alpha.test", "/docs", "alpha-docs", "/docs"),
        ("alpha.test:80", "/docs/x/y", "alpha-docs", "/docs/x/y"),
        ("anything.else", "/notes/one?q=1", "notes", "/one?q=1"),
        ("anything.else", "/notes", "notes", "/"),
        ("alpha.test", "/notes/two", "notes", "/two"),
        ("deep.in.wild.test", "/x", "wild", "/x"),
    ],
)
async def test_the_owner_gets_it(gateway: Up, host: str, path: str, owner: str, target: str) -> None:
    answer = await gateway.client().get(path, headers={"host": host})
    assert answer.status_code == 200
    assert answer.json()["target"] == target
    assert gateway.requests(owner)[-1] == f"GET {target}"
    assert gateway.starts(owner) == 1


@pytest.mark.parametrize("host", ["nobody.test", "127.0.0.1", "wild.test", "alpha.test.evil"])
async def test_an_unknown_host_gets_404_and_wakes_nothing(gateway: Up, host: str) -> None:
    client = gateway.client()
    page = await client.get("/", headers={"host": host, "accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="en"' in page.text
    chinese = await client.get(
        "/", headers={"host": host, "accept": "text/html", "accept-language": "zh-CN,zh;q=0.9"}
    )
    assert '<html lang="zh' in chinese.text
    plain = await client.post("/notesabc", headers={"host": host}, json={})
    assert plain.status_code == 404
    assert plain.headers["content-type"] == "application/json"
    assert plain.json()["error"]["code"] == "service_not_found"
    assert gateway.starts("bystander") == 0


@pytest.mark.parametrize("path", ["/.poorwill/nonsense", "/.poorwill/alpha/events", "/.poorwill/"])
async def test_paths_of_poorwill_itself_never_reach_a_service(gateway: Up, path: str) -> None:
    answer = await gateway.client().get(path, headers={"host": "bystander.test", "prefer": "wait=2"})
    assert answer.status_code == 404
    assert gateway.starts("bystander") == 0
