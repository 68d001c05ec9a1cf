"""From everybody's wishes to a number of instances, and one sentence of why.

``ORDER`` is the table of who wins; the documentation prints it and the tests walk through it. The first
row that has something to say decides. The rows without an answer of their own stand above all others, but
they bind *doing* (see ``core.lifecycle``), not wanting: an instance that is not wanted any more still ends
its work first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from zoneinfo import ZoneInfo

from poorwill.core import budget, busy, due, spent
from poorwill.core.debt import FOREIGN
from poorwill.core.door import GateState
from poorwill.core.duration import duration_text
from poorwill.core.hand import in_force
from poorwill.core.many import by_load, within_its_room
from poorwill.core.metric_text import count_text
from poorwill.core.model import (
    Condition,
    Demand,
    HandKind,
    IntentKind,
    Now,
    Observation,
    OnRequest,
    Service,
)
from poorwill.core.need import last_need
from poorwill.core.schedule import Opening
from poorwill.core.share import Word

WAITING = "requests are waiting"

LEFT_ALONE = "it runs, and Poorwill did not start it, so it is not stopped"

Answer = Callable[[Service, Observation, Now], Demand | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: ``holds`` says when it applies, ``then`` what follows, both for people.

    ``admits`` says that visitors are let in as in opening hours, ``shuts`` that nothing they do helps;
    otherwise ``on_request`` says what they can do. ``answer`` None marks a row that ``core.lifecycle`` sees
    to.
    """

    name: str
    holds: str
    then: str
    admits: bool = False
    answer: Answer | None = None
    shuts: bool = False


def wanted(service: Service, seen: Observation, now: Now) -> Demand:
    """How many instances the service should have."""
    for rule in ORDER:
        demand = rule.answer(service, seen, now) if rule.answer else None
        if demand is not None:
            demand = by_load(service, seen, replace(demand, rule=rule.name), now)
            admits = rule.admits or bool(demand.desired and due.open_by_its_hour(service, seen, now))
            demand = within_its_room(demand, seen)
            entrance = OnRequest.WAKE if admits else service.on_request
            entrance = OnRequest.CLOSED if rule.shuts else entrance
            if rule.answer is _makes_room:
                entrance = wanted(service, replace(seen, gpu=None), now).entrance
            return replace(demand, entrance=entrance, until=_until(demand, service, seen, now))
    raise AssertionError("the last row always answers")


def _until(demand: Demand, service: Service, seen: Observation, now: Now) -> float | None:
    """When time alone may change the answer: what the row itself says, or the timetable, or a plan."""
    walls = [moment for plan in seen.plans for moment in (plan.start, plan.stop)]
    if seen.hand is not None and seen.hand.until_wall is not None:
        walls.append(seen.hand.until_wall)
    if service.timetable is not None:
        hours = service.timetable.hours(now.wall)
        walls += [hours.change_at] if hours.change_at is not None else []
        walls += [hours.next.start - seen.wake_time] if hours.next and hours.next.led else []
        walls += [at for run in service.timetable.runs if (at := run.next_due(now.wall)) is not None]
    moments = [now.mono + (wall - now.wall) for wall in walls if wall > now.wall]
    money = budget.look_again(seen.standings, now.wall, now.mono)
    moments += [at for at in (demand.until, seen.gpu.until if seen.gpu else None, money) if at is not None]
    return min(moments, default=None)


# --- the rows -----------------------------------------------------------------------------------


def _shut(service: Service, seen: Observation, now: Now) -> Demand | None:
    standing = spent.shut(service, seen, now)
    if standing is None:
        return None
    hand = in_force(seen, now)
    why = f"{spent.whose(service, standing)} is used up{_opening(service, standing, now)}"
    if hand is not None and hand.kind is HandKind.WAKE:
        why += "; `wake` does not change that: raise `budget` in the configuration, then `poorwill reload`"
    return Demand(0, why)


def _slept(_service: Service, seen: Observation, now: Now) -> Demand | None:
    hand = in_force(seen, now)
    if hand is None or hand.kind is not HandKind.SLEEP:
        return None
    return Demand(0, f"put to sleep {hand.by}", hand.until)


def _makes_room(_service: Service, seen: Observation, _now: Now) -> Demand | None:
    return Demand(0, seen.gpu.why) if seen.gpu and seen.gpu.word is Word.GOES else None


def _woken(service: Service, seen: Observation, now: Now) -> Demand | None:
    hand = in_force(seen, now)
    if hand is None or hand.kind is not HandKind.WAKE:
        return None
    return Demand(1, f"started {hand.by}" if service.job else f"kept awake {hand.by}", hand.until)


def _run(service: Service, seen: Observation, now: Now) -> Demand | None:
    why = due.under_way(service, seen) or due.coming(service, seen, now)
    return Demand(1, why) if why else None


def _window(service: Service, seen: Observation, now: Now) -> Demand | None:
    if service.timetable is None:
        return None
    hours = service.timetable.hours(now.wall)
    zone = service.timetable.zone
    if hours.current is not None:
        return Demand(1, f"open {hours.current.text}{_closing(hours.current, zone, now)}")
    if hours.next is not None and hours.next.led and hours.next.start - seen.wake_time <= now.wall:
        return Demand(1, f"opens {moment(hours.next.start, zone, now)}, and waking takes a while")
    return None


def _needed(_service: Service, seen: Observation, _now: Now) -> Demand | None:
    return Demand(1, f"needed by {', '.join(seen.needed_by)}") if seen.needed_by else None


def _least(service: Service, _seen: Observation, _now: Now) -> Demand | None:
    least = service.scale.min_instances if service.scale else 0
    return Demand(least, f"at least {count_text(least)} always: min_instances") if least else None


def _closed(service: Service, seen: Observation, now: Now) -> Demand | None:
    if service.on_request is not OnRequest.CLOSED or due.open_by_its_hour(service, seen, now):
        return None
    return Demand(0, f"closed{_next_opening(service, now)}")


def _no_wake(service: Service, seen: Observation, now: Now) -> Demand | None:
    standing = spent.no_wake(service, seen, now)
    if standing is None:
        return None
    used_up = f"{spent.whose(service, standing)} is used up"
    return Demand(0, f"{used_up}, so requests do not wake it{_opening(service, standing, now)}")


def _limit(service: Service, seen: Observation, now: Now) -> Demand | None:
    rate, until = service.max_wakes, seen.allowance.total_until(now.wall)
    if rate is None or until is None or service.job or not seen.fresh:
        return None
    often = f"{rate.count} times" if rate.count > 1 else "once"
    why = f"woken by requests {often} within {duration_text(rate.seconds)}, as often as max_wakes allows"
    return Demand(0, why, now.mono + (until - now.wall))


def _waiting(service: Service, seen: Observation, _now: Now) -> Demand | None:
    """Who waits for a slot of an open service is one of those who use it."""
    if not seen.asked.waiting:
        return None
    return Demand(1, _use(service) if seen.gate.state is GateState.OPEN else WAITING)


def _starting(service: Service, seen: Observation, _now: Now) -> Demand | None:
    starting = (i.intent for i in seen.instances if i.intent and i.intent.kind is IntentKind.START)
    intent = None if service.job else next(starting, None)
    return None if intent is None else Demand(1, intent.reason or "a start is under way")


def _in_use(service: Service, seen: Observation, now: Now) -> Demand | None:
    last = None if service.job else last_need(service, seen, now)
    if last is None or now.mono >= last + service.idle_after:
        return None
    here = any(instance.condition is not Condition.ABSENT for instance in seen.instances)
    if any(instance.foreign for instance in seen.instances):
        why = "in use"
    else:
        why = _use(service) if here else "somebody asked for it"
    return Demand(1, why, last + service.idle_after)


def _use(service: Service) -> str:
    return f"in use; sleeps after {duration_text(service.idle_after)} without activity"


def _working(service: Service, seen: Observation, now: Now) -> Demand | None:
    held = busy.hold(service, seen, now, idle_since(service, seen, now))
    moments = [at for at in (held.until, held.ask_at) if at is not None]
    return Demand(1, held.why, min(moments, default=None)) if held.why else None


def _foreign(service: Service, seen: Observation, _now: Now) -> Demand | None:
    if not any(instance.foreign for instance in seen.instances):
        return None
    return Demand(1, f"{LEFT_ALONE}: `poorwill adopt {service.name}`")


def _idle(service: Service, seen: Observation, now: Now) -> Demand:
    if service.job:
        return Demand(0, due.at_rest(service, seen, now))
    known = last_need(service, seen, now) is not None
    why = f"no activity for {duration_text(service.idle_after)}" if known else "nobody asks for it"
    return Demand(0, why + _next_opening(service, now))


ORDER: tuple[Rule, ...] = (
    Rule("unknown", "nobody can tell whether it runs", "nothing is started and nothing is stopped"),
    Rule("work", "work is open", "it ends first: only a stop that cuts nothing is made"),
    Rule(spent.SHUT, "a `closed` budget is used up", "asleep, whatever others want", False, _shut, True),
    Rule("sleep", "a person said `sleep`", "asleep; requests do not wake it", True, _slept),
    Rule("gpu", "another service needs its GPU more", "asleep; its visitors wait", False, _makes_room),
    Rule("wake", "a person said `wake`", "awake", True, _woken),
    Rule("run", "a run of a job is under way or due", "awake until it is done", False, _run),
    Rule("window", "a window of its `schedule` is open", "awake", True, _window),
    Rule("needed", "another service that `needs` it, or runs on it, is wanted", "awake", False, _needed),
    Rule("least", "`min_instances` is more than 0", "so many are awake", False, _least),
    Rule("closed", "`on_request: closed`", "asleep; visitors read when it opens", False, _closed),
    Rule(spent.NO_WAKE, "a `no_wake` budget is used up", "it stays asleep", False, _no_wake, True),
    Rule("limit", "requests woke it as often as `max_wakes` allows", "it stays asleep", False, _limit),
    Rule("waiting", "requests are waiting", "awake", False, _waiting),
    Rule("starting", "a start is under way", "awake", False, _starting),
    Rule("in_use", "somebody was active or asked within `idle_after`", "awake", False, _in_use),
    Rule("busy", "a `busy` probe says that it works", "awake, for `busy.at_most`", False, _working),
    Rule(FOREIGN, "it runs, and Poorwill did not start it", "awake until you adopt it", False, _foreign),
    Rule("idle", "nobody needs it", "asleep", False, _idle),
)
"""Who wins, from strongest to weakest."""


# --- what the rows are made of ------------------------------------------------------------------


def in_use(service: Service, seen: Observation, now: Now) -> bool:
    """Whether anybody waits for it or has used it within ``idle_after``, whatever else wants it."""
    return bool(_waiting(service, seen, now) or _in_use(service, seen, now) or _working(service, seen, now))


_NEAR = 3
"""Days within which the name of a day says when a budget is over; what is further off has its date."""


def idle_since(service: Service, seen: Observation, now: Now) -> float:
    """From when on nobody needs it any more; what a busy probe said before does not count."""
    last = last_need(service, seen, now)
    return -inf if last is None else last + service.idle_after


def moment(wall: float, zone: str, now: Now, near: int = 7) -> str:
    """``at 18:00`` today, ``on Thu at 09:00`` in less than ``near`` days, else with the date; in the zone's
    own time.
    """
    at, today = (datetime.fromtimestamp(value, ZoneInfo(zone)) for value in (wall, now.wall))
    days = (at.date() - today.date()).days
    if days == 0:
        return f"at {at:%H:%M}"
    return f"on {at:%a} at {at:%H:%M}" if 0 < days < near else f"on {at:%Y-%m-%d} at {at:%H:%M}"


def _closing(opening: Opening, zone: str, now: Now) -> str:
    return "" if opening.stop is None else f"; closes {moment(opening.stop, zone, now)}"


def _opening(service: Service, standing: budget.Standing, now: Now) -> str:
    at = spent.opens_at(service, standing, now)
    zone = service.timetable.zone if service.timetable else standing.budget.zone
    return "" if at is None else f"; opens {moment(at, zone, now, _NEAR)}"


def _next_opening(service: Service, now: Now) -> str:
    hours = service.timetable.hours(now.wall) if service.timetable else None
    if hours is None or hours.next is None or service.timetable is None:
        return ""
    return f"; opens {moment(hours.next.start, service.timetable.zone, now)}"
