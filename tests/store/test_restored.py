"""What a restart is told equals what a patient reader of the whole journal would conclude."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from poorwill.core.action import Conclude
from poorwill.core.lifecycle import concluded
from poorwill.core.model import Failures, Now, Outcome
from poorwill.store.event import Entry, Event, Kind, row_of
from poorwill.store.journal import Journal, Restored, RestoredInstance
from poorwill.store.queries import insert_events, latest_events, restore
from poorwill.store.schema import metadata

NOW = Now(1_800_000_000.0, 1.0, "boot-1")
OUTCOMES = {
    Kind.READY: Outcome.READY,
    Kind.STOPPED: Outcome.STOPPED,
    Kind.FAILED: Outcome.FAILED,
    Kind.CRASHED: Outcome.CRASHED,
    Kind.DONE: Outcome.DONE,
    Kind.ADOPT: Outcome.READY,
}
CLOSERS = {
    Kind.START: {Kind.READY, Kind.FAILED, Kind.CRASHED, Kind.STOPPED, Kind.DONE},
    Kind.STOP: {Kind.STOPPED, Kind.CRASHED, Kind.DONE},
}


def replay(events: Iterable[Event]) -> dict[str, Restored]:
    """One event after the other, with the core's own rule of what an outcome means."""
    services: dict[str, Restored] = {}
    first: dict[str, Event] = {}
    last: Event | None = None
    for event in events:
        last = event
        first.setdefault(event.service, event)
        if not event.service or event.kind in {
            Kind.UP,
            Kind.DOWN,
            Kind.RELOAD,
            Kind.GATEWAY,
            Kind.CALL_FAILED,
            Kind.NOTED,
            Kind.BUSY,
            Kind.TERMS,
            Kind.METER,
            Kind.USED,
            Kind.REVIEW,
        }:
            continue
        before = services.get(event.service, Restored())
        instance = before.instances.get(event.instance, RestoredInstance())
        after = replace(_of_service(before, event), instances={**before.instances, event.instance: instance})
        if event.kind in OUTCOMES:
            after, instance = _concluded(after, instance, event)
        instance = _owned(_of_instance(instance, event), event)
        services[event.service] = replace(after, instances={**after.instances, event.instance: instance})
    return {
        name: replace(
            found,
            instances={key: value for key, value in found.instances.items() if key},
            first=first[name],
            last=last,
        )
        for name, found in services.items()
    }


def _of_service(service: Restored, event: Event) -> Restored:
    if event.kind is Kind.PHASE:
        unknown = event.detail.get("phase") == "unknown"
        return replace(service, last_phase=event, lost=(service.lost or event) if unknown else None)
    if event.kind in {Kind.WAKE, Kind.SLEEP}:
        return replace(service, hand=event)
    if event.kind is Kind.AUTO:
        return replace(service, hand=event, plans=None)
    if event.kind is Kind.PLAN:
        return replace(service, plans=event)
    if event.kind in {Kind.DONE, Kind.SKIPPED}:
        return replace(service, run=event)
    if event.kind is Kind.DEBT:
        return replace(service, debt=event, told=False)
    if event.kind is Kind.SETTLED:
        return replace(service, debt=None, told=False)
    if event.kind is Kind.ALERT and event.instance:  # else it is about a metric
        return replace(service, told=service.debt is not None)
    if event.kind is Kind.WOKEN:
        return replace(service, woken=(*service.woken, event))
    if event.kind is Kind.READY and "seconds" in event.detail:
        return replace(service, wakes=(*service.wakes, event.detail["seconds"]))
    return service


def _concluded(
    service: Restored, instance: RestoredInstance, event: Event
) -> tuple[Restored, RestoredInstance]:
    before = OUTCOMES[instance.outcome.kind] if instance.outcome else None
    row = Failures(1) if service.failure else Failures()
    conclusion = Conclude(event.instance, OUTCOMES[event.kind])
    outcome, failures = concluded(before, row, conclusion, event.mono, None)
    if outcome is OUTCOMES[event.kind]:
        instance = replace(instance, outcome=event)
    if event.kind in {Kind.FAILED, Kind.CRASHED}:
        return replace(service, failure=event, streak=event.detail.get("streak", 1)), instance
    if not failures.count:
        return replace(service, failure=None, streak=0), instance
    return service, instance


def _of_instance(instance: RestoredInstance, event: Event) -> RestoredInstance:
    if event.kind is Kind.THERE:
        return replace(instance, there=event)
    if event.kind is Kind.GONE:
        return replace(instance, there=None, gone=event)
    if instance.intent and event.kind in CLOSERS[instance.intent.kind]:
        instance = replace(instance, intent=None)
    if event.kind is Kind.START:
        return replace(instance, intent=event, start=event, started=None)
    if event.kind is Kind.STOP:
        return replace(instance, intent=event)
    if event.kind is Kind.STARTED and instance.start:
        return replace(instance, started=event)
    if event.kind is Kind.STOPPED:
        return replace(instance, start=None, started=None)
    return instance


def _owned(instance: RestoredInstance, event: Event) -> RestoredInstance:
    if event.kind in {Kind.START, Kind.ADOPT}:
        return replace(instance, ours=True, ended=None)
    if not instance.ours or event.kind not in {Kind.STOP, Kind.STOPPED, Kind.CRASHED, Kind.DONE}:
        return instance
    life = event.detail.get("life") or (None if event.kind is Kind.STOP else "")
    return replace(instance, ended=instance.ended or life if life is not None else instance.ended)


def written(entries: Sequence[Entry]) -> tuple[list[Event], dict[str, Restored]]:
    with create_engine("sqlite://").begin() as connection:
        metadata.create_all(connection)
        rows = [row_of(entry, NOW) for entry in entries]
        return insert_events(connection, rows) if rows else [], restore(connection)


def entry(kind: Kind, service: str, instance: str, number: int | None) -> Entry:
    word = {Kind.FAILED: "streak", Kind.CRASHED: "streak", Kind.READY: "seconds"}.get(kind)
    detail: dict[str, object] = {word: number} if word and number else {}
    if kind in {Kind.STOP, Kind.STOPPED, Kind.CRASHED, Kind.DONE} and service != "b":
        detail["life"] = "life-1"  # between two claims one life only is ours
    return Entry(kind, service, instance, detail=detail)


# Mostly the life of one instance: what goes wrong goes wrong between a few events of the same one.
entries = st.builds(
    entry,
    st.sampled_from(Kind) | st.sampled_from([*OUTCOMES, *CLOSERS, Kind.STARTED]),
    st.sampled_from(["a", "a", "a", "a", "ab", "b", ""]),
    st.sampled_from(["1", "1", "1", "2", ""]),
    st.none() | st.integers(1, 9),
)


@settings(max_examples=400)
@given(st.lists(entries, max_size=8) | st.lists(entries, min_size=10, max_size=60))
def test_equals_reading_everything(entries: list[Entry]) -> None:
    events, restored = written(entries)
    assert restored == replay(events)


def test_a_wake_in_the_middle_and_what_is_needed_to_go_on() -> None:
    events, restored = written(
        [
            Entry(Kind.START, "notes", "notes-1", "a request waits", {"prepared": {"port": 4711}}),
            Entry(Kind.STARTED, "notes", "notes-1", detail={"handle": {"pid": 99}}),
        ]
    )
    instance = restored["notes"].instances["notes-1"]
    assert (instance.intent, instance.started, instance.outcome) == (events[0], events[1], None)
    assert (instance.prepared, instance.handle) == ({"port": 4711}, {"pid": 99})


def test_the_handle_of_an_awake_instance_is_kept_until_it_stopped() -> None:
    life = [
        Entry(Kind.START, "notes", "1"),
        Entry(Kind.STARTED, "notes", "1", detail={"handle": {"pid": 99}}),
        Entry(Kind.READY, "notes", "1", detail={"seconds": 2.5}),
        Entry(Kind.STOP, "notes", "1"),
    ]
    events, restored = written(life)
    assert restored["notes"].instances["1"].handle == {"pid": 99}
    assert restored["notes"].instances["1"].intent == events[3]
    _, restored = written([*life, Entry(Kind.STOPPED, "notes", "1")])
    assert restored["notes"].instances["1"].handle is None
    assert restored["notes"].instances["1"].intent is None
    assert restored["notes"].wakes == (2.5,)


def test_clearing_away_a_failed_start_does_not_end_the_row_of_failures() -> None:
    failed = [
        Entry(Kind.FAILED, "notes", "1", detail={"streak": 4}),
        Entry(Kind.STOP, "notes", "1"),
        Entry(Kind.STOPPED, "notes", "1"),
    ]
    events, restored = written(failed)
    assert (restored["notes"].streak, restored["notes"].failure) == (4, events[0])
    ended = [*failed, Entry(Kind.READY, "notes", "1"), Entry(Kind.STOPPED, "notes", "1")]
    _, restored = written([*ended, Entry(Kind.READY, "notes", "1")])
    assert (restored["notes"].streak, restored["notes"].failure) == (0, None)


def test_the_last_fifty_wakes_oldest_first() -> None:
    _, restored = written([Entry(Kind.READY, "notes", "1", detail={"seconds": n}) for n in range(60)])
    assert restored["notes"].wakes == tuple(range(10, 60))


async def test_through_the_journal(journal: Journal, now: Now) -> None:
    events = await journal.append(
        now, Entry(Kind.UP), Entry(Kind.SLEEP, "notes", reason="by hand"), Entry(Kind.START, "wiki", "wiki-1")
    )
    assert await journal.restore() == replay(events)


def test_no_table_is_walked() -> None:
    with create_engine("sqlite://").connect() as connection:
        metadata.create_all(connection)
        sql = latest_events().compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    walked = [
        line
        for line in plan
        if line.startswith("SCAN") and line.split()[1] not in {"place", "kind", "CONSTANT"}
    ]
    assert not walked
    assert not [line for line in plan if "TEMP B-TREE" in line]
    assert any("event_by_instance (service=? AND instance=? AND kind=?)" in line for line in plan)


def test_a_long_past_costs_no_more_than_a_short_one() -> None:
    assert _steps(rounds=2_000) < 1.2 * _steps(rounds=60)


def _steps(rounds: int) -> int:
    """Instructions that SQLite runs to restore two services with two instances and so many wakes each."""
    life = [Kind.WAKE, Kind.PHASE, Kind.START, Kind.STARTED, Kind.READY, Kind.FAILED, Kind.STOP, Kind.STOPPED]
    past = [Entry(kind, s, i) for s in "ab" for i in "12" for kind in life]
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    with create_engine("sqlite://").begin() as connection:
        metadata.create_all(connection)
        _insert(connection, [row_of(entry, NOW) for entry in past] * rounds)
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(tick, 10)
        restore(connection)
        raw.set_progress_handler(None, 0)
    return count


def _insert(connection: Connection, rows: list[dict[str, object]]) -> None:
    connection.execute(metadata.tables["event"].insert(), rows)
