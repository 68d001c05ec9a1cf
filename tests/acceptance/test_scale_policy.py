"""A scale policy in a file of its own: obeyed, explained, read again, and refused when it is wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Up, host, service, until

TARGET = "autoscaling_policy:\n  max_instances: 3\n  target: {concurrency: 2}\n"
GONE = """max_instances: 3
scale_out:
  metric: {url: "http://127.0.0.1:9/metrics", name: waiting}
  threshold: 5
  duration: 1s
  action: add_instance(1)
scale_in: {metric: request_count, threshold: 0, duration: 60s, action: remove_instance(1)}
"""
ALL = "scale_in: {metric: request_count, threshold: 0, duration: 2s, action: remove_all_instances}\n"


@pytest.mark.slow
async def test_a_policy_of_its_own(up: Start, tmp_path: Path) -> None:
    it = service(tmp_path, "it", scale_policy="autoscaling_policy.yaml")
    del it["idle_after"]
    file = tmp_path / "autoscaling_policy.yaml"
    file.write_text(TARGET, encoding="utf-8")
    gateway = await up({"it": it})
    client = gateway.client()
    answers = await asyncio.gather(*(client.get("/?seconds=1", headers=host("it")) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    await until(lambda: len(gateway.events(None, "ready")) == 3, "three for six, two for each")

    why = await gateway.cli("why", "it")
    assert "target: concurrency 2 per instance; in total " in why.out
    file.write_text(TARGET.replace("2}", "lots}"), encoding="utf-8")
    said = await gateway.cli("reload")
    assert said.code == 2
    assert "autoscaling_policy.yaml:3:" in said.err
    assert await there(gateway) == 3

    file.write_text(GONE, encoding="utf-8")
    assert (await gateway.cli("reload")).code == 0
    gone = "! no instance goes: waiting cannot be read:"
    await until(lambda: told(gateway, gone), "the source is gone")
    assert await there(gateway) == 3

    file.write_text(f"max_instances: 3\n{ALL}", encoding="utf-8")
    assert (await gateway.cli("reload")).code == 0
    await gateway.until_phase("it", "asleep")


async def there(gateway: Up) -> int:
    instances = (await gateway.status("it"))["instances"]
    return sum(one["condition"] != "absent" for one in instances)


async def told(gateway: Up, words: str) -> bool:
    return words in (await gateway.cli("why", "it")).out
