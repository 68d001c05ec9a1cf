"""A service that speaks TLS and wants to be called by a name of its own, through a wake."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until
from tests.certificates import Authority
from tests.ports import free_port


def over_tls(folder: Path, name: str, certificate: Path, **address: object) -> Json:
    port = free_port()
    made = service(folder, name, "--certificate", str(certificate), idle_after="1m")
    made["run"]["process"]["command"][2] = str(port)
    return {**made, "address": {"url": f"https://localhost:{port}", **address}}


@pytest.fixture
async def gateway(up: Start, tmp_path: Path) -> Up:
    authority = Authority(tmp_path)
    return await up(
        {
            "good": over_tls(tmp_path, "good", authority.issue("localhost"), ca="./ca.pem"),
            "lax": over_tls(tmp_path, "lax", authority.issue("else.test"), verify=False),
            "wrong": over_tls(tmp_path, "wrong", authority.issue("other.test"), ca="./ca.pem"),
        }
    )


async def test_over_tls_and_what_is_wrong_with_it(gateway: Up) -> None:
    client = gateway.client()
    for name in ("good", "lax"):
        answer = await client.post("/a?b=c", headers=host(name), content=b"x" * 100_000)
        assert answer.status_code == 200
        seen = answer.json()["headers"]
        assert (seen["host"], seen["x-forwarded-host"]) == ("localhost", f"{name}.test")
        assert gateway.starts(name) == 1

    refused = await client.get("/", headers={**host("wrong"), "prefer": "wait=1"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "service_waking")

    async def explained() -> bool:
        return "its certificate is not accepted" in str(await gateway.status("wrong"))

    await until(explained, "`why` says what is wrong with the certificate")
    assert gateway.requests("wrong") == []
