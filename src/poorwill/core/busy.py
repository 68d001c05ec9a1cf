"""Whether a ``busy`` probe puts off the sleep.

It is asked only when nothing else keeps the service awake, and once more right before the stop. It never
has the last word: after ``at_most``, and after ``unknown_at_most`` of not knowing, the sleep goes on.
"""

from __future__ import annotations

from poorwill.core.duration import duration_text
from poorwill.core.model import Condition, Instance, Now, Observation, Outcome, Service
from poorwill.core.work import Answer, BusyRule, Hold, Says, Work

FRESH = 10.0
"""Seconds after which an answer that nothing is being done no longer allows a stop."""

LETS_GO = Hold()


def hold(service: Service, seen: Observation, now: Now, since: float, *, stopping: bool = False) -> Hold:
    """What the probe makes of a sleep that would come now.

    Only an answer to a question asked at ``since`` or later allows it; one that allows a stop has to be
    fresh as well.
    """
    rule, work = service.busy, seen.work
    if rule is None or not any(map(_can_work, seen.instances)):
        return LETS_GO
    answer = work.answer
    begun = now.mono if work.held_since is None else work.held_since
    limit = begun + rule.at_most
    if answer is not None and answer.says is Says.FREE:
        return _free(work, answer, limit, now, since, stopping=stopping)
    if now.mono >= limit:
        return Hold(overruled=_overruled(answer, rule.at_most, "busy.at_most"))
    if answer is None:
        return Hold("a busy probe is asked", limit, ask=not work.asking)
    if answer.says is Says.UNKNOWN and now.mono >= answer.since + rule.unknown_at_most:
        return Hold(overruled=_overruled(answer, rule.unknown_at_most, "busy.unknown_at_most"))
    return _held(rule, work, answer, limit, now, since)


def _free(work: Work, answer: Answer, limit: float, now: Now, since: float, *, stopping: bool) -> Hold:
    good_until = answer.answered_at + FRESH if stopping else None
    if now.mono >= limit:
        return LETS_GO
    if answer.asked_at >= since and (good_until is None or now.mono < good_until):
        return Hold(until=good_until)
    return Hold("a busy probe is asked", limit, ask=not work.asking)


def _held(rule: BusyRule, work: Work, answer: Answer, limit: float, now: Now, since: float) -> Hold:
    if answer.says is Says.UNKNOWN:
        limit = min(limit, answer.since + rule.unknown_at_most)
    ask_at = answer.answered_at + rule.every
    due = now.mono >= ask_at or answer.asked_at < since
    return Hold(answer.words, limit, due and not work.asking, None if due else ask_at)


def _can_work(instance: Instance) -> bool:
    """Only what was ready in this life can be at work. What is not stopped anyway is not asked."""
    was_ready = instance.ready or instance.outcome is Outcome.READY
    here = instance.condition is Condition.RUNNING and not instance.foreign
    return here and instance.intent is None and was_ready


def _overruled(answer: Answer | None, limit: float, key: str) -> str:
    words = answer.words if answer else "a busy probe has not answered"
    return f"{words}, but for more than {duration_text(limit)} ({key})"
