"""Starts by the hour without a window: jobs (``until: done``), and services that sleep by idling again.

The rule for jobs: the run of each hour takes place once. A run that is still going at the next hour goes on,
and that next run is skipped. When nobody was there to start a run, the latest missed one is made up for
(``missed: run``) or skipped (``missed: skip``). A run that failed is not repeated; a *start* that failed is.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from poorwill.core.action import Skip
from poorwill.core.model import Condition, IntentKind, Now, Observation, Outcome, Service

GRACE = 60.0
"""Seconds after its hour for which a run that ``missed: skip`` guards may still begin."""


def under_way(service: Service, seen: Observation) -> str:
    """Why a job has to go on; empty when nothing of it runs."""
    instance = seen.instances[0]
    intent = instance.intent
    if not service.job or (intent is not None and intent.kind is IntentKind.STOP):
        return ""
    if intent is not None and instance.condition is Condition.ABSENT and intent.returned_at is None:
        return "its run begins"
    if instance.condition is Condition.ABSENT:
        return ""
    if instance.due is None:
        return "its run is under way"
    return f"its run of {_hour(service, instance.due)} is under way"


def coming(service: Service, seen: Observation, now: Now) -> str:
    """Why a job has to start; empty when it has not."""
    at = due_at(service, seen, now)
    instance = seen.instances[0]
    over = instance.outcome is Outcome.READY and instance.due == at  # ended, and not yet written down
    if at is None or over or skipped(service, seen, now):
        return ""
    missed = now.wall - at > GRACE and at < seen.watched_from
    return f"its run of {_hour(service, at)} {'was missed and is made up for' if missed else 'is due'}"


def due_at(service: Service, seen: Observation, now: Now) -> float | None:
    """The latest hour at which a run should have begun and is not settled yet; seconds since the epoch."""
    if not service.job or service.timetable is None:
        return None
    hours = [at for run in service.timetable.runs if (at := run.last_due(now.wall)) is not None]
    latest = max(hours, default=None)
    settled = seen.last_run if seen.last_run is not None else seen.watched_from
    return latest if latest is not None and latest > settled else None


def skipped(service: Service, seen: Observation, now: Now) -> Skip | None:
    """A run whose hour has come and which does not take place."""
    at = due_at(service, seen, now)
    if at is None or service.timetable is None:
        return None
    instance = seen.instances[0]
    if instance.condition not in (Condition.ABSENT, Condition.UNKNOWN) and instance.due != at:
        return Skip(at, f"the run of {_hour(service, at)} is skipped: the one before is still going")
    run = next(run for run in service.timetable.runs if run.last_due(now.wall) == at)
    idle = instance.condition is Condition.ABSENT and instance.intent is None
    if idle and run.missed == "skip" and at + GRACE < min(now.wall, seen.watched_from):
        return Skip(at, f"the run of {_hour(service, at)} was missed and is skipped")
    return None


def at_rest(service: Service, seen: Observation, now: Now) -> str:
    """What there is to say about a job that does not run."""
    table = service.timetable
    upcoming = [at for run in table.runs if (at := run.next_due(now.wall)) is not None] if table else []
    detail = seen.instances[0].detail
    last = f"the last run ended with {detail}; " if detail.startswith("exit code") else ""
    return f"{last}runs {_hour(service, min(upcoming), day=True)}" if upcoming else f"{last}no run is planned"


def its_hour(service: Service, now: Now) -> float | None:
    """When an ``until: idle`` start was last due, on the monotonic clock."""
    if service.job or service.timetable is None:
        return None
    hours = [at for run in service.timetable.runs if (at := run.last_due(now.wall)) is not None]
    return now.mono - (now.wall - max(hours)) if hours else None


def open_by_its_hour(service: Service, seen: Observation, now: Now) -> bool:
    """Whether the service was started by its hour and is in use since: visitors are let in."""
    at = its_hour(service, now)
    if at is None:
        return False
    lives = (
        one.ready_since if one.ready_since is not None else one.seen_since
        for one in seen.instances
        if one.condition is not Condition.ABSENT
    )
    return now.mono < at + service.idle_after or any(since is not None and since >= at for since in lives)


def _hour(service: Service, wall: float | None, *, day: bool = False) -> str:
    zone = ZoneInfo(service.timetable.zone) if service.timetable else None
    at = datetime.fromtimestamp(wall or 0.0, zone)
    return f"{at:%a} at {at:%H:%M}" if day else f"{at:%H:%M}"
