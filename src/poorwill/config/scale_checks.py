"""What cannot be in a scale policy, and which services cannot have one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from poorwill.config.claims import Complaint
from poorwill.config.complaint import Loc, expected, wrong
from poorwill.config.several import several_complaints
from poorwill.core.metric import Kind
from poorwill.core.scale_rule import Deed

if TYPE_CHECKING:
    from poorwill.config.scale import RuleConfig, ScalePolicyConfig
    from poorwill.config.service import ServiceConfig

_OUT = (Deed.ADD, Deed.SET)
_IN = (Deed.REMOVE, Deed.REMOVE_ALL, Deed.SET)


def rule_complaints(rule: RuleConfig) -> Iterator[Complaint]:
    """What is wrong with one rule, whichever way it goes."""
    metric = rule.measured
    about = (("metric",),)
    if rule.stat != "mean" and metric.kind is not Kind.LATENCY:
        error = wrong(f"{rule.stat} is for response_latency", "leave stat out", about=about)
        yield ("stat",), error, None
    if rule.per is not None and not metric.shared:
        error = wrong("per is for concurrency and request_rate", "leave per out", about=about)
        yield ("per",), error, None
    if rule.metric in ("error_rate", "gpu_utilization") and rule.threshold >= 100:
        yield ("threshold",), expected("a percentage below 100%"), None
    if metric.kind is Kind.COUNT and rule.threshold % 1:
        yield ("threshold",), expected("a whole number"), None
    if metric.kind is Kind.COUNT and "window" in rule.model_fields_set:
        hint = "leave window out: requests are counted over the duration"
        yield ("window",), wrong("window has no use for request_count", hint, about=about), None


def policy_complaints(policy: ScalePolicyConfig) -> Iterator[Complaint]:
    """What does not go together within one policy."""
    if policy.min_instances > policy.max_instances:
        message = f"min_instances is {policy.min_instances} and max_instances {policy.max_instances}"
        other: Loc = ("max_instances",) if "max_instances" in policy.model_fields_set else ("min_instances",)
        error = wrong(message, f"write max_instances: {policy.min_instances} or more", other=other)
        yield ("min_instances",), error, None
        return
    if policy.target is not None and (policy.scale_out or policy.scale_in):
        beside = "scale_out" if policy.scale_out else "scale_in"
        hint = "leave one of them out; with a target most people need no rules"
        yield ("target",), wrong(f"target has no use beside {beside}", hint, other=(beside,)), None
    for side, rules in (("scale_out", policy.scale_out), ("scale_in", policy.scale_in)):
        for index, rule in enumerate(rules):
            yield from _action(policy, side, index, rule)
    if policy.scale_out and not policy.scale_in and 0 < policy.min_instances < policy.max_instances:
        # With min_instances: 0 a service that nobody uses sleeps, and begins anew.
        example = "{metric: concurrency, threshold: 1, duration: 10m, action: remove_instance(1)}"
        hint = f"add scale_in, such as {example}"
        yield ("scale_in",), wrong("nothing says when there are fewer", hint, about=(("scale_out",),)), None
    yield from _contradictions(policy)


def _action(policy: ScalePolicyConfig, side: str, index: int, rule: RuleConfig) -> Iterator[Complaint]:
    out, deed, at = side == "scale_out", rule.action.deed, (side, index, "action")
    if deed not in (_OUT if out else _IN):
        other = "scale_in" if out else "scale_out"
        example = "add_instance(1)" if out else "remove_instance(1)"
        yield at, wrong(f"{rule.action} is for {other}", f"write {example}, or put it below {other}"), None
    elif deed is Deed.SET and rule.action.count > policy.max_instances:
        error = wrong(
            f"{rule.action}, and max_instances is {policy.max_instances}",
            f"write max_instances: {rule.action.count}, or set fewer",
            about=(("max_instances",),),
        )
        yield at, error, None
    elif not out and _too_few(policy, rule):
        count = rule.action.count if deed is Deed.SET else 0
        hint = f"write min_instances: {count}, or set_instances({policy.min_instances})"
        message = f"{rule.action}, and min_instances is {policy.min_instances}"
        yield at, wrong(message, hint, about=(("min_instances",),)), None
    elif out and deed is Deed.SET and not rule.action.count:
        yield at, wrong("set_instances(0) is for scale_in", "write set_instances(1) or more"), None


def _too_few(policy: ScalePolicyConfig, rule: RuleConfig) -> bool:
    """Whether it asks for fewer than there are always."""
    least = policy.min_instances
    return bool(least) and (
        rule.action.to_none or (rule.action.deed is Deed.SET and rule.action.count < least)
    )


def _contradictions(policy: ScalePolicyConfig) -> Iterator[Complaint]:
    """Thresholds of the same metric that leave no room between them: it would go up and down for ever."""
    for number, inward in enumerate(policy.scale_in):
        for index, out in enumerate(policy.scale_out):
            same = _about(out) == _about(inward)
            # Nothing at all is no noise: "some in the queue" and "none in the queue" go together.
            if not same or out.threshold > inward.threshold or out.threshold == inward.threshold == 0:
                continue
            message = f"scale_in acts up to {inward.threshold_text}, scale_out above {out.threshold_text}"
            hint = "the threshold of scale_in must be below that of scale_out, with room between them"
            there, here = ("scale_out", index, "threshold"), ("scale_in", number, "threshold")
            yield here, wrong(message, hint, other=there, about=(there, here)), None


def _about(rule: RuleConfig) -> tuple[object, ...]:
    return rule.measured, rule.stat, rule.per or "instance"


def scale_complaints(service: ServiceConfig) -> Iterator[Complaint]:
    """What the rest of the service has against its policy."""
    policy = service.scale_policy
    if policy is None or service.is_job:
        return
    slots = service.concurrency.limit if service.concurrency else None
    aim = policy.target.concurrency if policy.target is not None else None
    if aim and slots and aim > slots:
        error = wrong(
            f"the target is {aim:g}, and an instance takes only {slots} at a time",
            f"aim for {slots} or fewer",
            other=("concurrency",),
            about=(("concurrency",),),
        )
        yield ("scale_policy", "target", "concurrency"), error, None
    yield from _immeasurable(service, policy)
    if policy.max_instances == 1:
        return
    yield from several_complaints(service.run, service.address, service.on)
    if policy.min_instances < policy.max_instances and not (
        policy.target or policy.scale_out or policy.scale_in or slots
    ):
        hint = "add target: {concurrency: 4}: so many requests for each instance"
        error = wrong("nothing says when there are more", hint, about=(("concurrency",), ("scale_policy",)))
        yield ("scale_policy", "target"), error, None


def _immeasurable(service: ServiceConfig, policy: ScalePolicyConfig) -> Iterator[Complaint]:
    """Rules about what the place cannot tell."""
    if service.run.measures_cpu:
        return
    for side, rules in (("scale_out", policy.scale_out), ("scale_in", policy.scale_in)):
        for index, rule in enumerate(rules):
            if rule.metric in ("cpu", "memory"):
                error = wrong(
                    f"{service.run.provider} cannot tell how much {rule.metric} the service uses",
                    "process, docker and compose can; or use response_latency, gpu_utilization or a url",
                    about=(("run",),),
                )
                yield ("scale_policy", side, index, "metric"), error, None
