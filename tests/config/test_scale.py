"""The ``scale_policy:`` section."""

from __future__ import annotations

from typing import Any

import pytest
from tests.config.reading import SettingsOf

from poorwill.config import ServiceConfig
from poorwill.config.scale import ScalePolicyConfig
from poorwill.config.source import Source
from poorwill.core.metric import METRICS, Metric
from poorwill.core.scale import ScalePolicy
from poorwill.core.scale_rule import Deed, ScaleAction, ScaleRule
from poorwill.core.target_mode import Target

RULES = """
    scale_policy:
      min_instances: 0
      max_instances: 3
      scale_out: {metric: response_latency, threshold: 3000ms, duration: 120s, action: add_instance(1)}
      scale_in: {metric: request_count, threshold: 0, duration: 600s, action: remove_all_instances}
"""
OUT = {"metric": "cpu", "threshold": "80%", "duration": "1m", "action": "add_instance"}


@pytest.fixture
def service_of(settings_of: SettingsOf) -> Any:
    def read(text: str) -> ServiceConfig:
        head = "services:\n  a:\n    run: {process: {command: [x, '{port}']}}\n"
        return settings_of(head + text.strip("\n")).services["a"]

    return read


def policy(**keys: Any) -> ScalePolicyConfig:
    return ScalePolicyConfig.model_validate({"max_instances": 9, **keys})


def test_the_rules_of_the_example(service_of: Any) -> None:
    service = service_of(RULES + "    concurrency: 8")
    latency = ScaleRule(METRICS["response_latency"], 3.0, 120.0, ScaleAction(Deed.ADD, 1))
    idle = ScaleRule(METRICS["request_count"], 0.0, 600.0, ScaleAction(Deed.REMOVE_ALL, 0), out=False)
    assert service.rules(0).scale == ScalePolicy(0, 3, 8, scale_out=(latency,), scale_in=(idle,))


def test_a_rule_that_removes_the_last_one_says_when_it_sleeps(service_of: Any) -> None:
    long = RULES.replace("600s", "20m")
    assert service_of(long).rules(0).idle_after == 1200.0
    assert service_of(long + "    idle_after: 5m").rules(0).idle_after == 300.0
    assert service_of(long.replace("remove_all_instances", "set_instances(0)")).rules(0).idle_after == 1200.0
    assert service_of(long.replace("remove_all_instances", "remove_instance(9)")).rules(0).idle_after == 600.0
    assert service_of("    hosts: a").rules(0).idle_after == 600.0


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("{max_instances: 2, target: {concurrency: 3}}", Target(METRICS["concurrency"], 3.0)),
        ("{max_instances: 2, target: {request_rate: 90/min}}", Target(METRICS["request_rate"], 1.5)),
        ("{max_instances: 2}", Target(METRICS["concurrency"], 2.8)),
        ("{max_instances: 2, cooldown: 5m}", Target(METRICS["concurrency"], 2.8, cooldown=300.0)),
        (
            "{target: {concurrency: 3, stable_window: 2m, panic_threshold: 150%, max_scale_down_rate: 3}}",
            Target(METRICS["concurrency"], 3.0, 120.0, 12.0, 1.5, 1000.0, 3.0),
        ),
    ],
)
def test_targets(service_of: Any, text: str, target: Target) -> None:
    scale = service_of(f"    concurrency: 4\n    scale_policy: {text}").rules(0).scale
    assert scale.target.each == pytest.approx(target.each)
    assert scale.target == Target(target.metric, scale.target.each, *rest(target))


def rest(target: Target) -> tuple[Any, ...]:
    return (
        target.stable,
        target.panic,
        target.panic_threshold,
        target.up_rate,
        target.down_rate,
        target.cooldown,
    )


def test_a_fixed_number_needs_neither_target_nor_rules(service_of: Any) -> None:
    scale = service_of("    scale_policy: {min_instances: 2, max_instances: 2}").rules(0).scale
    assert scale == ScalePolicy(2, 2)


@pytest.mark.parametrize(
    ("metric", "written", "value"),
    [
        ("response_latency", "1m 30s", 90.0),
        ("request_rate", "10/min", 1 / 6),
        ("request_rate", "7.2 /h", 0.002),
        ("concurrency", 2.5, 2.5),
        ("queue_length", "0", 0.0),
        ("gpu_utilization", "99.5 %", 99.5),
        ("cpu", "250%", 250.0),
        ("memory", "512MB", 512e6),
        ("memory", "1.5 GiB", 1.5 * 2**30),
        ("gpu_memory", "20GB", 20e9),
    ],
)
def test_thresholds_in_their_units(metric: str, written: Any, value: float) -> None:
    (rule,) = policy(scale_out={**OUT, "metric": metric, "threshold": written}).policy(None).scale_out
    assert rule.threshold == pytest.approx(value)


def test_one_rule_or_several_and_what_they_leave_out() -> None:
    two = policy(scale_out=[OUT, {**OUT, "cooldown": "5s", "window": "90s"}], cooldown="20s").policy(None)
    first, second = two.scale_out
    assert (first.cooldown, first.window) == (20.0, 10.0)
    assert (second.cooldown, second.window) == (5.0, 60.0)  # at most its duration
    assert policy(scale_out=OUT).policy(None).scale_out[0].cooldown is None


def test_what_instances_share_is_looked_at_per_instance() -> None:
    def rule(**keys: Any) -> ScaleRule:
        return policy(scale_out={**OUT, **keys}).policy(None).scale_out[0]

    assert rule(metric="concurrency", threshold=4).per_instance
    assert not rule(metric="concurrency", threshold=4, per="service").per_instance
    assert not rule(metric="queue_length", threshold=4).per_instance
    assert rule(metric="response_latency", threshold="1s", stat="p95").percentile == 95.0


def test_numbers_of_the_users_own(service_of: Any) -> None:
    text = """
    scale_policy:
      max_instances: 4
      scale_out:
        - metric: {url: "http://{address}/metrics", name: vllm:num_requests_waiting}
          threshold: 5
          duration: 30s
          action: add_instance(1)
        - metric: {prometheus: "http://127.0.0.1:9090/", query: 'sum(up{job="x"})', aggregate: max}
          threshold: -0.5
          duration: 30s
          action: add_instance(1)
      scale_in:
        metric: {name: vllm:num_requests_waiting, url: "http://{address}/metrics"}
        threshold: 0
        duration: 5m
        action: remove_instance(1)
"""
    service = service_of(text)
    waiting, asked = service.sources()
    assert waiting == Source(
        "vllm:num_requests_waiting at http://{address}/metrics",
        "text",
        "http://{address}/metrics",
        metric="vllm:num_requests_waiting",
        per_instance=True,
    )
    query = 'sum(up{job="x"})'
    name = f"max of {query} at http://127.0.0.1:9090"
    assert asked == Source(name, "promql", "http://127.0.0.1:9090", query=query, aggregate="max")
    out, inward = service.rules(0).scale.scale_out, service.rules(0).scale.scale_in
    assert out[0].metric == inward[0].metric == Metric(waiting.name, text="vllm:num_requests_waiting")
    assert out[1].threshold == -0.5


def test_secrets_of_a_source_are_not_shown() -> None:
    metric = {"url": "http://x/metrics", "name": "a", "headers": {"Authorization": "Bearer hunter2"}}
    (source,) = policy(scale_out={**OUT, "metric": metric, "threshold": 1}).sources
    assert source.headers == (("Authorization", "Bearer hunter2"),)
    assert "hunter2" not in repr(source)


def test_what_is_written_out_reads_back_the_same() -> None:
    before = policy(scale_out=[OUT, {**OUT, "metric": "request_rate", "threshold": "5/s"}], cooldown="9s")
    plain = before.model_dump(mode="json", exclude_defaults=True)
    assert ScalePolicyConfig.model_validate(plain) == before
