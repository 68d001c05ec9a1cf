"""What the rules of a configuration want to know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from poorwill.app.measures import LEAST, look_back, metered, numbers
from poorwill.config import load
from poorwill.config.scale import ScalePolicyConfig
from poorwill.providers.registry import option_models

OUT = {"metric": "response_latency", "threshold": "3000ms", "duration": "120s", "action": "add_instance(1)"}
IN = {"metric": "request_count", "threshold": 0, "duration": "600s", "action": "remove_all_instances"}
CPU = {"metric": "cpu", "threshold": "80%", "duration": "30s", "action": "add_instance(1)"}
OWN = {"url": "http://{address}/metrics", "name": "vllm:num_requests_waiting"}
MINE = {"metric": OWN, "threshold": 5, "duration": "30s", "action": "add_instance(1)"}


def policy(**keys: Any) -> ScalePolicyConfig:
    return ScalePolicyConfig.model_validate({"max_instances": 3, **keys})


@pytest.mark.parametrize(
    ("keys", "seconds"),
    [
        ({}, 120),  # the target that comes by itself
        ({"target": {"concurrency": 4}}, 120),
        ({"target": {"concurrency": 4}, "cooldown": "10m"}, 660),
        ({"scale_out": OUT}, 130),
        ({"scale_out": [OUT, MINE], "scale_in": IN}, 610),
        ({"scale_out": MINE}, LEAST),
    ],
)
def test_readings_are_kept_as_long_as_the_rules_look_back(keys: dict[str, Any], seconds: float) -> None:
    assert look_back(policy(**keys)) == pytest.approx(seconds, rel=0.02)


def test_only_the_numbers_that_a_rule_names_are_asked_for() -> None:
    assert numbers(policy(scale_out=OUT, scale_in=IN)) == {}
    named = numbers(policy(scale_out=[OUT, CPU, MINE]))
    assert named.pop("cpu") is None
    [(name, source)] = named.items()
    assert source is not None
    assert (name, source.per_instance) == (source.name, True)


MEASURED = {"watts": 350, "per_kwh": "0.6 CNY", "measured": True}


def test_who_is_measured_is_who_says_so_and_can_be_asked(tmp_path: Path) -> None:
    def service(**keys: Any) -> dict[str, Any]:
        return {"hosts": ["x.test"], "run": {"process": {"command": ["true", "{port}"]}}, **keys}

    ssh = {"host": "10.0.0.5", "user": "me"}
    on = {"run": {"command": {"start": "a", "stop": "b", "status": "c"}}, "ready": {"tcp": True}}
    services = {
        "here": service(price=MEASURED),
        "stated": service(price={**MEASURED, "measured": False}),
        "unpriced": service(),
        "rented": service(run={"fake": {}}, price=MEASURED),
        "there": service(**on, on="open", address="10.0.0.5:80", price=MEASURED),
    }
    for name, one in services.items():
        one["hosts"] = [f"{name}.test"]
    machines = {
        "open": {"fake": {}, "ssh": ssh},
        "mine": {"fake": {}, "ssh": ssh, "price": MEASURED},
        "shut": {"fake": {}, "price": MEASURED},
    }
    file = tmp_path / "poorwill.yaml"
    file.write_text(json.dumps({"services": services, "machines": machines}))
    assert sorted(metered(load(file, option_models()))) == ["here", "mine", "there"]
