"""What a service may not do any more because a budget is used up, and when that is over."""

from __future__ import annotations

from poorwill.core import due
from poorwill.core.budget import AtLimit, Standing, in_force
from poorwill.core.hours import OpeningHours
from poorwill.core.model import Condition, Now, Observation, OnRequest, Service

SHUT = "budget"
NO_WAKE = "no_wake"
"""Rows of ``core.demand.ORDER`` that are about budgets."""

ROWS = {SHUT: AtLimit.CLOSED, NO_WAKE: AtLimit.NO_WAKE}


def shut(service: Service, seen: Observation, now: Now) -> Standing | None:
    """The budget that closes the service. A run of a job that is under way is not stopped, and what needs
    the service ends its work first.
    """
    needed = seen.needed_by and any(one.condition is not Condition.ABSENT for one in seen.instances)
    if needed or due.under_way(service, seen):
        return None
    return in_force(seen.standings, AtLimit.CLOSED, now.wall, now.mono)


def no_wake(service: Service, seen: Observation, now: Now) -> Standing | None:
    """The budget that lets nobody wake the service. What is awake already may go on."""
    if service.job or not seen.fresh:
        return None
    return in_force(seen.standings, AtLimit.NO_WAKE, now.wall, now.mono)


def opens_at(service: Service, standing: Standing, now: Now) -> float | None:
    """When visitors are let in again (seconds since the epoch); None when nobody has planned that."""
    over, table = standing.period.stop, service.timetable
    if table is None or not table.has_windows:
        return over if service.on_request is not OnRequest.CLOSED else None
    if standing.budget.at_limit is AtLimit.NO_WAKE:
        following = table.hours(now.wall).next
        soon = [following.start] if following else []
        return min([over, *soon]) if service.on_request is not OnRequest.CLOSED else min(soon, default=None)
    then = table.hours(over)
    if service.on_request is not OnRequest.CLOSED or then.current is not None:
        return over
    return then.next.start if then.next else None


def hours(service: Service, seen: tuple[Standing, ...], row: str, now: Now) -> OpeningHours | None:
    """What visitors are told by a row about budgets; None for any other row."""
    what = ROWS.get(row)
    standing = None if what is None else in_force(seen, what, now.wall, now.mono)
    if standing is None:
        return None
    at = opens_at(service, standing, now)
    zone = service.timetable.zone if service.timetable else standing.budget.zone
    return OpeningHours(zone, () if at is None else ((at, None),), spent=standing.budget.per)


def whose(service: Service, standing: Standing) -> str:
    """``its budget of 100 hours a month``, as a reason names it."""
    budget = standing.budget
    if budget.payer == service.name:
        return f"its budget of {budget}"
    return f"the budget of {budget} for {budget.payer or 'everything together'}"
