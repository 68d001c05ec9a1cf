"""The figures of a run, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.acceptance.chaos.laws import nothing_lost
from tests.acceptance.chaos.laws.journal_true import spans_of
from tests.acceptance.chaos.record import Happened, Record


def report(record: Record, seed: int, seconds: float) -> str:
    return "\n".join(_lines(record, seed, seconds))


def cycles(record: Record) -> Counter[str]:
    """How often the instances of each service became ready and ended."""
    count: Counter[str] = Counter()
    for service in {event.service for event in record.events if event.service}:
        for instance in {event.instance for event in record.events if event.service == service}:
            spans = spans_of([event for event in record.events if event.instance == instance])
            count[service] += sum(span.ready is not None and span.end is not None for span in spans)
    return count


def _lines(record: Record, seed: int, seconds: float) -> Iterator[str]:
    through = cycles(record)
    yield f"seed {seed}, {seconds:.0f} s, {through.total()} cycles ({_listed(through)})"
    yield f"{len(record.asked)} requests ({_listed(Counter(one.kind for one in record.asked))})"
    accounts = nothing_lost.accounts(record)
    for name, count in accounts.most_common():
        yield f"  {count:>6} {name}"
    yield f"  {accounts[nothing_lost.LOST]:>6} lost without a reason"
    for what in Happened:
        found = record.happened(what)
        yield f"{what}: {len(found)} times ({_listed(Counter(one.phase or one.service for one in found))})"
    away = [one.until - one.at for one in record.happened(Happened.ENVOY_KILLED)]
    if away:
        yield f"envoy answered again after {min(away) * 1000:.0f} to {max(away) * 1000:.0f} ms"
    held = [one.ended - one.began for one in record.asked if one.answer == "right"]
    if held:
        yield f"longest wait for a right answer: {max(held):.1f} s"


def _listed(count: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in _sorted(count.items()))


def _sorted(items: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(items, key=lambda item: (-item[1], item[0]))
