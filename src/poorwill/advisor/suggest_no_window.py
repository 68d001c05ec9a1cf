"""No window at all: where few come, waking by request costs less than being open for them."""

from __future__ import annotations

from math import inf

from poorwill.advisor.case import DAY, Case
from poorwill.advisor.openings import past, with_openings
from poorwill.advisor.suggest_idle import replayed_well
from poorwill.advisor.suggest_window import LEAST_OPENINGS, play_hours
from poorwill.advisor.suggestion import LEAST_DAYS, WAIT_WORTH, Suggestion, noise
from poorwill.core.model import OnRequest
from poorwill.core.spans import clip, total


def suggest_no_window(case: Case) -> Suggestion | None:
    """Only where visitors wake it; who is used to no wait will wait, so the sentence names how often."""
    if case.days < LEAST_DAYS or not case.wakes or not case.lone:
        return None
    known = past(case.service.timetable, case.zone, case.since, case.until)
    spans = [(one.start, inf if one.stop is None else one.stop) for one in known.known]
    # One that never closes is one opening.
    open_for = total(clip(spans, case.since, case.until))
    seen = len(spans) >= LEAST_OPENINGS or open_for >= LEAST_DAYS * DAY
    if not seen or case.service.on_request is not OnRequest.WAKE:
        return None
    now, then = play_hours(case, known), play_hours(case, with_openings(known, ()))
    less, more = now.seconds - then.seconds, len(then.waits) - len(now.waits)
    gain = less / 3600 * case.scale
    if less <= WAIT_WORTH * case.wake * more or noise(gain, case.hours_a_month):
        return None
    return Suggestion(
        "window_none",
        case.service.name,
        gain,
        case.rate.of(gain),
        case.rate.currency,
        replayed_well(case, now),
        {
            "waits": len(then.waits) * case.scale,
            "waits_was": len(now.waits) * case.scale,
            "wake": case.wake,
        },
    )
