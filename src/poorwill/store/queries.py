"""The questions asked of the journal, in SQL that SQLite and PostgreSQL both understand.

None of them walks the journal: each step is a look-up in an index, so a million events cost what the
number of services and instances costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    String,
    and_,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import NamedFromClause

from poorwill.core.allowance import MOST
from poorwill.store.event import Event, Kind, Row, event_of
from poorwill.store.restored import (
    Latest,
    Restored,
    after,
    instance_of,
    newest,
    seconds_of,
    streak_of,
)
from poorwill.store.schema import event

WAKES = 50
"""How many of the newest wakes are remembered."""

_MATTERING = (
    Kind.PHASE,
    Kind.START,
    Kind.STARTED,
    Kind.STOP,
    Kind.READY,
    Kind.STOPPED,
    Kind.FAILED,
    Kind.CRASHED,
    Kind.WAKE,
    Kind.SLEEP,
    Kind.AUTO,
    Kind.PLAN,
    Kind.DONE,
    Kind.SKIPPED,
    Kind.ADOPT,
    Kind.DEBT,
    Kind.SETTLED,
    Kind.ALERT,
    Kind.WOKEN,
    Kind.THERE,
    Kind.GONE,
)


def insert_events(connection: Connection, rows: Sequence[Row]) -> list[Event]:
    """Write all rows, in order; the caller's transaction makes them durable together."""
    statement = insert(event).returning(event.c.id, sort_by_parameter_order=True)
    ids = connection.execute(statement, list(rows)).scalars().all()
    return [event_of({"id": number, **row}) for number, row in zip(ids, rows, strict=True)]


def last_id(connection: Connection) -> int:
    """The newest event's id; 0 when there is none."""
    return connection.execute(select(func.max(event.c.id))).scalar_one() or 0


def select_events(
    connection: Connection, service: str | None, after: int, limit: int, newest_first: bool
) -> list[Event]:
    statement = select(event).where(event.c.id > after).limit(limit)
    if service is not None:
        statement = statement.where(event.c.service == service)
    statement = statement.order_by(event.c.id.desc() if newest_first else event.c.id)
    return [event_of(row) for row in connection.execute(statement).mappings()]


def restore(connection: Connection) -> dict[str, Restored]:
    """Every service that the journal knows, by name."""
    services: dict[str, dict[str, dict[Kind, Event]]] = defaultdict(lambda: defaultdict(dict))
    for row in connection.execute(latest_events()).mappings():
        found = event_of(row)
        services[found.service][found.instance][found.kind] = found
    last = _newest(connection)
    return {service: _restore(connection, service, found, last) for service, found in services.items()}


def known_places(connection: Connection) -> list[tuple[str, str]]:
    """Each service, job or machine with each of its instances; with "" where it has lines of its own."""
    place = _places()
    rows = connection.execute(select(place.c.service, place.c.instance))
    return [(row.service, row.instance) for row in rows]


def latest_events() -> Select[tuple[object, ...]]:
    """The newest event of each kind that matters, of each instance of each service."""
    kinds = union_all(*(select(literal(kind.value, String()).label("kind")) for kind in _MATTERING))
    kind, place, older = kinds.cte("kind"), _places(), event.alias("older")
    number = (
        select(func.max(older.c.id))
        .where(
            older.c.service == place.c.service,
            older.c.instance == place.c.instance,
            older.c.kind == kind.c.kind,
        )
        .correlate(place, kind)
        .scalar_subquery()
    )
    return select(event).select_from(place.join(kind, literal(True)).join(event, event.c.id == number))


def _places() -> CTE:
    """Each (service, instance) of the journal once, by leaping through the index from one to the next."""
    place = (
        select(event.c.service, event.c.instance)
        .where(event.c.id == _first(event.alias("first"), lambda first: first.c.service > ""))
        .cte("place", recursive=True)
    )
    # Comparing (service, instance) as a pair reads better, but SQLite then uses half of the index only.
    number = func.coalesce(
        _first(
            event.alias("sibling"),
            lambda sibling: and_(sibling.c.service == place.c.service, sibling.c.instance > place.c.instance),
        ),
        _first(event.alias("following"), lambda following: following.c.service > place.c.service),
    )
    leap = select(event.c.service, event.c.instance).select_from(place.join(event, event.c.id == number))
    return place.union_all(leap)


def _first(
    table: NamedFromClause, where: Callable[[NamedFromClause], ColumnElement[bool]]
) -> ScalarSelect[int]:
    """The id of one event of the first place, in the order of the index, for which ``where`` holds."""
    found = select(table.c.id).where(where(table)).order_by(table.c.service, table.c.instance).limit(1)
    return found.correlate_except(table).scalar_subquery()


def _restore(
    connection: Connection, service: str, instances: Mapping[str, Latest], last: Event | None
) -> Restored:
    latest: dict[Kind, Event] = {}
    for instance, found in instances.items():
        for kind, seen in found.items():
            if kind is Kind.ALERT and not instance:
                continue  # it is about a metric, not about what runs
            if kind not in latest or seen.id > latest[kind].id:
                latest[kind] = seen
    failure = newest(latest, Kind.FAILED, Kind.CRASHED)
    plan = newest(latest, Kind.PLAN, Kind.AUTO)
    debt = newest(latest, Kind.DEBT, Kind.SETTLED)
    debt = debt if debt and debt.kind is Kind.DEBT else None
    if failure and any(_ended_well(connection, found, failure) for found in instances.values()):
        failure = None
    return Restored(
        instances={name: instance_of(found) for name, found in instances.items() if name},
        hand=newest(latest, Kind.WAKE, Kind.SLEEP, Kind.AUTO),
        wakes=_wakes(connection, service),
        streak=streak_of(failure) if failure else 0,
        failure=failure,
        last_phase=latest.get(Kind.PHASE),
        plans=plan if plan and plan.kind is Kind.PLAN else None,
        run=newest(latest, Kind.DONE, Kind.SKIPPED),
        first=_earliest(connection, service),
        debt=debt,
        told=bool(debt and after(latest.get(Kind.ALERT), debt)),
        woken=_woken(connection, service),
        last=last,
        lost=_lost(connection, service),
    )


def _lost(connection: Connection, service: str) -> Event | None:
    """A restart writes the phase anew: what counts is the first of those in a row."""
    phases = select(event).where(
        event.c.service == service, event.c.instance == "", event.c.kind == Kind.PHASE.value
    )
    lost = None
    with connection.execute(phases.order_by(event.c.id.desc())) as rows:
        for found in map(event_of, rows.mappings()):
            if found.detail.get("phase") != "unknown":
                break
            lost = found
    return lost


def _newest(connection: Connection) -> Event | None:
    row = connection.execute(select(event).order_by(event.c.id.desc()).limit(1)).mappings().first()
    return event_of(row) if row is not None else None


def _earliest(connection: Connection, service: str) -> Event | None:
    found = select(event).where(event.c.service == service).order_by(event.c.id).limit(1)
    row = connection.execute(found).mappings().first()
    return event_of(row) if row is not None else None


def _ended_well(connection: Connection, latest: Latest, failure: Event) -> bool:
    """Whether the instance was stopped after ``failure``, not just cleared away after a failed start.

    After the service's last failure an instance can only get ready and stop. So a stop is good unless
    the instance's own last outcome was FAILED, with no READY between that and the stop.
    """
    done = latest.get(Kind.DONE)
    if done is not None and done.id > failure.id:
        return True
    stopped = latest.get(Kind.STOPPED)
    if stopped is None or stopped.id < failure.id:
        return False
    failed, crashed = latest.get(Kind.FAILED), latest.get(Kind.CRASHED)
    if failed is None or (crashed is not None and crashed.id > failed.id):
        return True
    ready = select(event.c.id).where(
        event.c.service == stopped.service,
        event.c.instance == stopped.instance,
        event.c.kind.in_([Kind.READY.value, Kind.ADOPT.value]),
        event.c.id.between(failed.id, stopped.id),
    )
    return connection.execute(ready.limit(1)).first() is not None


def _woken(connection: Connection, service: str) -> tuple[Event, ...]:
    found = select(event).where(event.c.service == service, event.c.kind == Kind.WOKEN.value)
    rows = connection.execute(found.order_by(event.c.id.desc()).limit(MOST)).mappings().all()
    return tuple(event_of(row) for row in reversed(rows))


def _wakes(connection: Connection, service: str) -> tuple[float, ...]:
    ready = select(event).where(event.c.service == service, event.c.kind == Kind.READY.value)
    rows = connection.execute(ready.order_by(event.c.id.desc()).limit(WAKES)).mappings().all()
    seconds = (seconds_of(event_of(row)) for row in reversed(rows))
    return tuple(value for value in seconds if value is not None)
