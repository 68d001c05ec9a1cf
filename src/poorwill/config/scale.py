"""The ``scale_policy:`` of a service: how many instances there may be, and when there are more or fewer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.scale_checks import policy_complaints, rule_complaints
from poorwill.config.source import Source, SourceConfig
from poorwill.config.target import UTILIZATION, TargetConfig
from poorwill.config.threshold import STATS, Action, MetricName, measured, near, threshold
from poorwill.config.units import Duration, at_least
from poorwill.core.metric import METRICS, Metric
from poorwill.core.metric_text import value_text
from poorwill.core.scale import ScalePolicy
from poorwill.core.scale_rule import ScaleRule
from poorwill.core.target_mode import Target

_MODEL = ConfigDict(frozen=True, extra="forbid")
_WINDOW = 10.0


def _stat(value: Any) -> Any:
    if isinstance(value, str) and value not in STATS:
        raise wrong(f"there is no stat {value}", near(value, STATS))
    return value


class RuleConfig(BaseModel):
    """One rule: when a metric has been on this side of its threshold for so long, this is done."""

    model_config = _MODEL

    metric: MetricName = Field(
        description="What is looked at: response_latency, request_rate, request_count, concurrency, "
        "queue_length, held_requests, error_rate, cpu, memory, gpu_utilization, gpu_memory, or a number of "
        "your own."
    )
    threshold: Annotated[float, WithJsonSchema({"type": ["number", "string"]})] = Field(
        description="Scale-out acts above it, scale-in at or below it. With its unit, such as 3000ms, 5/s, "
        "80% or 20GB; counts without."
    )
    duration: Annotated[Duration, at_least(1)] = Field(
        description="How long it must have been so, without a break."
    )
    action: Action = Field(
        description="What is done then: add_instance(n), remove_instance(n), remove_all_instances or "
        "set_instances(n)."
    )
    stat: Annotated[Literal["mean", "p50", "p90", "p95", "p99"], BeforeValidator(_stat)] = Field(
        default="mean", description="For response_latency: the mean or a percentile of the requests."
    )
    window: Annotated[Duration, at_least(1)] = Field(
        default=_WINDOW, description="Time over which each value is averaged, at most the duration."
    )
    per: Literal["instance", "service"] | None = Field(
        default=None,
        description="For concurrency and request_rate: whether the threshold is for each instance (default) "
        "or for all of them together.",
    )
    cooldown: Duration | None = Field(
        default=None,
        description="How long the rule rests after the number of instances changed. Default: the duration "
        "counts anew from then.",
    )

    @property
    def measured(self) -> Metric:
        return measured(self.metric)

    @property
    def threshold_text(self) -> str:
        return value_text(self.threshold, self.measured.unit)

    @field_validator("threshold", mode="wrap")
    @classmethod
    def _in_its_unit(cls, value: Any, _handler: Any, info: ValidationInfo) -> float:
        """A metric that is wrong itself leaves the threshold alone."""
        given = info.data.get("metric")
        if given is None:
            return 0.0
        return threshold(value, measured(given).unit)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        found = list(rule_complaints(self))
        if found:
            raise all_of(found)
        return self

    def rule(self, *, out: bool, cooldown: float | None) -> ScaleRule:
        """What the core needs to know; ``cooldown`` is the policy's."""
        return ScaleRule(
            metric=self.measured,
            threshold=self.threshold,
            duration=self.duration,
            action=self.action,
            out=out,
            percentile=STATS[self.stat],
            window=min(self.window, self.duration),
            per_instance=self.measured.shared and self.per != "service",
            cooldown=cooldown if self.cooldown is None else self.cooldown,
        )


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, dict | RuleConfig) else value


def _as_written(rules: tuple[RuleConfig, ...]) -> list[dict[str, Any]]:
    written = []
    for rule in rules:
        plain = rule.model_dump(mode="json", exclude_defaults=True)
        written.append({**plain, "threshold": _threshold_text(rule)})
    return written


def _threshold_text(rule: RuleConfig) -> str | float:
    text = rule.threshold_text
    return rule.threshold if text.replace(".", "").isdigit() else text


Rules = Annotated[
    tuple[RuleConfig, ...],
    BeforeValidator(_one_or_more, json_schema_input_type=RuleConfig | tuple[RuleConfig, ...]),
    PlainSerializer(_as_written, when_used="json"),
]


class ScalePolicyConfig(BaseModel):
    """From how many to how many instances, and when there are more or fewer."""

    model_config = _MODEL

    min_instances: int = Field(
        default=0, ge=0, description="So many are always awake. 0: the service sleeps when nobody needs it."
    )
    max_instances: int = Field(default=1, ge=1, description="There are never more.")
    target: TargetConfig | None = Field(
        default=None,
        description="How much each instance should have, such as {concurrency: 4}: enough for most. Default: "
        "70% of the concurrency of the service, when there are no rules.",
    )
    scale_out: Rules = Field(default=(), description="When instances are added: a rule or a list of them.")
    scale_in: Rules = Field(default=(), description="When instances are removed: a rule or a list of them.")
    cooldown: Duration | None = Field(
        default=None,
        description="How long the rules rest after the number of instances changed; with a target, how long "
        "fewer must have been enough before there are fewer.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        found = list(policy_complaints(self))
        if found:
            raise all_of(found)
        return self

    @property
    def last_goes_after(self) -> float | None:
        """The duration of the first rule that removes the last instance; None when none does."""
        durations = [rule.duration for rule in self.scale_in if rule.action.to_none]
        return min(durations, default=None)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The numbers of the user's own that its rules look at, each once."""
        rules = (*self.scale_out, *self.scale_in)
        written = [rule.metric.source for rule in rules if isinstance(rule.metric, SourceConfig)]
        return tuple(dict.fromkeys(written))

    def policy(self, slots: int | None) -> ScalePolicy:
        """What the core needs to know; ``slots`` is how many requests one instance takes at a time."""
        return ScalePolicy(
            min_instances=self.min_instances,
            max_instances=self.max_instances,
            slots=slots,
            scale_out=tuple(rule.rule(out=True, cooldown=self.cooldown) for rule in self.scale_out),
            scale_in=tuple(rule.rule(out=False, cooldown=self.cooldown) for rule in self.scale_in),
            target=self._target(slots),
        )

    def _target(self, slots: int | None) -> Target | None:
        if self.target is not None:
            return self.target.target(self.cooldown)
        if slots is None or self.scale_out or self.scale_in:
            return None
        return Target(METRICS["concurrency"], slots * UTILIZATION, cooldown=self.cooldown)


def _keys(value: Any) -> Any:
    if not isinstance(value, dict | ScalePolicyConfig):
        raise expected("keys such as max_instances, or the name of a file with them")
    return value


ScalePolicySection = Annotated[
    ScalePolicyConfig, BeforeValidator(_keys, json_schema_input_type=str | ScalePolicyConfig)
]
"""What a file name stands for has been put in its place before."""
