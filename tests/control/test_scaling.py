"""What ``why`` says about load: as JSON, and as lines."""

from __future__ import annotations

import json
from typing import Any

from tests.core.loads import inward, out, seconds

from poorwill.cli.scaling import scaling
from poorwill.control.scaling import scaled_json
from poorwill.core.load import Load
from poorwill.core.metric import METRICS
from poorwill.core.model import Now
from poorwill.core.scale import Scale, ScalePolicy, scaled
from poorwill.core.scale_rule import Deed, ScaleAction
from poorwill.core.target_mode import Target

RULES = ScalePolicy(
    0,
    3,
    scale_out=(out(percentile=95.0, duration=120.0), out("gpu_memory", 20e9)),
    scale_in=(inward("request_count", 0, duration=600.0, action=ScaleAction(Deed.REMOVE_ALL, 0)),),
)
TARGET = ScalePolicy(0, 3, target=Target(METRICS["concurrency"], 4.0))


def told(policy: ScalePolicy, load: Load, count: int = 1) -> dict[str, Any]:
    at = load.readings[-1].at if load.readings else 0.0
    now = Now(wall=1_800_000_000.0, mono=at + 0.25, boot="b")
    said: dict[str, Any] = json.loads(
        json.dumps(scaled_json(scaled(policy, load, Scale(count, -1000.0), 0, now.mono), now))
    )
    return said


def test_each_rule_with_what_it_sees_and_how_long_it_has_held() -> None:
    slow = seconds([{"begun": 1}] * 5 + [{"begun": 1, "latency": 4.0}] * 46)
    said = told(RULES, Load(slow.readings, {"gpu_memory": "nvidia-smi is gone"}), 2)
    latency, memory, idle = said["rules"]
    assert (latency["value"], latency["held"], latency["duration"]) == (3.8, 45.25, 120.0)
    assert (latency["threshold_text"], latency["stat"], latency["fires"]) == ("3s", "p95", False)
    assert memory["trouble"] == "gpu_memory cannot be read: nvidia-smi is gone"
    assert (idle["rule"], idle["value_text"], idle["held"], idle["window"]) == ("scale_in", "51", None, 600.0)
    assert (said["desired"], said["trouble"]) == (2, memory["trouble"])
    assert said["until"] == "2027-01-15T08:01:14.750+00:00"
    assert list(scaling(said)) == [
        "scale_out: p95 of response_latency over 1s is 3.8s; above 3s for 45s of 2m, then add_instance(1)",
        "scale_out: gpu_memory over 1s cannot be told; above 20GB for 0s of 10s, then add_instance(1)",
        "scale_in: request_count over 10m is 51; at most 0 for 0s of 10m, then remove_all_instances",
        "! no instance goes: gpu_memory cannot be read: nvidia-smi is gone",
    ]


def test_a_target_with_both_averages() -> None:
    said = told(TARGET, seconds([{"open": 2}] * 60 + [{"open": 30}] * 6), 2)
    assert list(scaling(said)) == [
        "target: concurrency 4 per instance; in total 4.8 over 1m, 30 over 6s, panicking: no instance goes"
    ]
    calm = told(TARGET, seconds([{"open": 2}] * 30), 2)
    assert calm["target"]["fewer_at"] == "2027-01-15T08:00:29.750+00:00"
    assert list(scaling(calm)) == ["target: concurrency 4 per instance; in total 2 over 1m, 2 over 6s"]


def test_nothing_measured_yet() -> None:
    assert list(scaling(told(TARGET, Load()))) == ["target: concurrency 4 per instance; nothing measured yet"]
    first, *_ = scaling(told(RULES, Load()))
    assert first.startswith(
        "scale_out: p95 of response_latency over 1s has no value yet; above 3s for 0s of 2m"
    )


def test_a_service_that_sleeps_has_nothing_to_say() -> None:
    assert list(scaling(told(RULES, Load(), 0))) == []
