"""Everything that is measured, for a Prometheus server that comes to read it.

Nothing is kept for it: what is told is what others know already, and Envoy is asked once for each visit.
The names are the reference's (docs/reference/metrics.md); a test holds the two together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from poorwill import __version__
from poorwill.core.counts import Counts, seconds
from poorwill.core.model import Phase
from poorwill.errors import GatewayError
from poorwill.store.journal import Kind
from poorwill.web.tally import Tally

Json = dict[str, Any]

REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
WAKE_BOUNDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Upper bounds in seconds."""

log = structlog.get_logger()

Measured = Mapping[str, tuple[Mapping[str, float], Mapping[str, str]]]
"""For each service the numbers of its rules by name, and why others cannot be read."""


class Desk(Protocol):
    """What is told of each service, as ``status --json`` has it."""

    def status(self) -> list[Json]: ...


@dataclass(frozen=True, slots=True)
class Metrics:
    """``counts()`` asks Envoy for what it counted of each service; it raises GatewayError."""

    desk: Desk
    counts: Callable[[], Awaitable[Mapping[str, Counts]]]
    measured: Callable[[], Measured]
    tally: Tally

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, in the format that the visitor accepts."""
        counted: Mapping[str, Counts] | None = None
        try:
            counted = await self.counts()
        except GatewayError as error:
            log.debug("no counts", error=str(error))  # Envoy's keeper says it aloud and restarts it
        families = [
            *_program(counted is not None),
            *_services(self.desk.status()),
            *_requests(counted or {}),
            *_happened(self.tally),
            *_measured(self.measured()),
        ]
        encode, kind = choose_encoder(accept)
        return await asyncio.to_thread(encode, _Families(families)), kind


@dataclass(frozen=True, slots=True)
class _Families:
    """What stands in for a registry."""

    families: list[Metric]

    def collect(self) -> Iterator[Metric]:
        return iter(self.families)


def _program(envoy: bool) -> Iterator[Metric]:
    build = GaugeMetricFamily("poorwill_build_info", "The version that runs.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    yield GaugeMetricFamily("poorwill_envoy_up", "Whether Envoy says what it counted.", value=float(envoy))


def _services(rows: list[Json]) -> Iterator[Metric]:
    phase = _gauge("phase", "1 for the phase that the service is in, 0 for the others.", "phase")
    instances = _gauge("instances", "Instances by phase, those that are absent left out.", "phase")
    desired = _gauge("desired_instances", "How many instances are wanted.")
    debt = _gauge("debt", "1 while something runs that nobody needs.")
    gate = _gauge("gate_open", "1 while visitors go straight to the service.")
    checks = _counter("gate_checks", "Requests that the gate was asked about.")
    singles: dict[str, GaugeMetricFamily] = {
        "ready": _of_instance("ready", "1 for an instance that has answered its readiness question."),
        "in_flight": _of_instance("open_requests", "Requests that are open at the instance."),
        "age": _of_instance("age_seconds", "How long the instance has been there."),
    }
    served = CounterMetricFamily(
        "poorwill_instance_requests",
        "Requests that came to the instance, where there are several.",
        labels=["service", "instance"],
    )
    for row in rows:
        name = row["name"]
        for one in Phase:
            phase.add_metric([name, str(one)], float(row["phase"] == one))
        there: dict[str, int] = {}
        for instance in row["instances"]:
            if instance["condition"] == "absent":
                continue
            state = str(instance.get("phase", instance["condition"]))
            there[state] = there.get(state, 0) + 1
            for key, family in singles.items():
                if (value := instance.get(key)) is not None:
                    family.add_metric([name, instance["id"]], float(value))
            if (requests := instance.get("served")) is not None:
                served.add_metric([name, instance["id"]], requests)
        for state, count in there.items():
            instances.add_metric([name, state], count)
        desired.add_metric([name], row["desired"])
        debt.add_metric([name], float(row["debt"] is not None))
        gate.add_metric([name], float(row["gate"] == "open"))
        checks.add_metric([name], row["checks"])
    yield from (phase, instances, desired, debt, gate, checks, *singles.values(), served)


def _requests(counted: Mapping[str, Counts]) -> Iterator[Metric]:
    begun = _counter("requests", "Requests that came to an instance, the background left out.")
    ended = _counter("responses", "Requests that were answered.")
    errors = _counter("errors", "Requests answered with a 5xx, or by Envoy because the service did not.")
    opened = _gauge("open_requests", "Requests that are open at the service.")
    queued = _gauge("queued_requests", "Requests that wait for a slot of an awake service.")
    held = _gauge("held_requests", "Requests at the gate that wait for the service to wake.")
    took = HistogramMetricFamily(
        "poorwill_service_request_duration_seconds",
        "How long the service took, to the last byte of the answer.",
        labels=["service"],
    )
    lined = SummaryMetricFamily(
        "poorwill_service_slot_wait_seconds",
        "How long requests waited at the gate for a slot of an awake service.",
        labels=["service"],
    )
    slept = SummaryMetricFamily(
        "poorwill_service_start_wait_seconds",
        "How long requests and people at the waiting page waited for the service to start.",
        labels=["service"],
    )
    gave_up = _counter("gave_up", "Those who left before they were let in.")
    refused = _counter("refused", "Those who were sent away with a time to come again.")
    for name, one in sorted(counted.items()):
        begun.add_metric([name], one.begun)
        ended.add_metric([name], one.ended)
        errors.add_metric([name], one.errors)
        opened.add_metric([name], one.open)
        queued.add_metric([name], one.queued)
        held.add_metric([name], one.held)
        ends = [(end, count) for (_, end), count in one.took.items()]
        took.add_metric([name], _buckets(ends, REQUEST_BOUNDS), seconds(one.took))
        lined.add_metric([name], one.lined, one.waited)
        slept.add_metric([name], one.waits.waited, one.waits.seconds)
        gave_up.add_metric([name], one.waits.gave_up)
        refused.add_metric([name], one.waits.refused)
    yield from (begun, ended, errors, opened, queued, held, took, lined, slept, gave_up, refused)


def _happened(tally: Tally) -> Iterator[Metric]:
    starts = _counter("starts", "Starts that were begun since Poorwill was started.")
    events = CounterMetricFamily(
        "poorwill_events", "Events in the journal since Poorwill was started.", labels=["service", "kind"]
    )
    woke = HistogramMetricFamily(
        "poorwill_service_wake_duration_seconds",
        "From the start of an instance to its first answer.",
        labels=["service"],
    )
    for (service, kind), count in sorted(tally.events.items()):
        events.add_metric([service, kind], count)
        if kind == Kind.START:
            starts.add_metric([service], count)
    for service, wakes in sorted(tally.wakes.items()):
        total = sum(value * count for value, count in wakes.items())
        woke.add_metric([service], _buckets(wakes.items(), WAKE_BOUNDS), total)
    yield from (starts, events, woke)


def _measured(measured: Measured) -> Iterator[Metric]:
    value = _gauge("measured", "A number that rules about load look at, as it was measured last.", "metric")
    up = _gauge("measured_up", "Whether that number can be read.", "metric")
    for service, (values, troubles) in sorted(measured.items()):
        for name, number in sorted(values.items()):
            value.add_metric([service, name], number)
            up.add_metric([service, name], 1)
        for name in sorted(troubles):
            up.add_metric([service, name], 0)
    yield from (value, up)


def _buckets(ends: Iterable[tuple[float, int]], bounds: tuple[float, ...]) -> list[tuple[str, float]]:
    """As Prometheus wants them: each with all that is below, and one without a bound."""
    known = tuple(ends)
    rows = [(str(bound), sum(count for end, count in known if end <= bound)) for bound in bounds]
    return [*rows, ("+Inf", sum(count for _, count in known))]


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"poorwill_service_{name}", text, labels=["service", *labels])


def _counter(name: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"poorwill_service_{name}", text, labels=["service"])


def _of_instance(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"poorwill_instance_{name}", text, labels=["service", "instance"])
