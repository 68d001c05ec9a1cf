"""What can honestly be said about a wait, from this service's own past wakes.

The rules of ``state``, ``left`` and ``share`` are in templates/waiting.js once more, because in the browser
they must follow the clock; a browser test holds the two together.
"""

from __future__ import annotations

from math import ceil

from poorwill.core.history import Estimate
from poorwill.gateway.words import Words, seconds, time_text

_ENOUGH = 10  # "9 of 10 starts" is said only when there were ten


def retry_after(estimate: Estimate | None, elapsed: float) -> int:
    """Whole seconds (1 to 300) until the service is probably ready, for ``Retry-After``.

    What is left until p90, when 9 of 10 wakes are done; at most five minutes, because this wake may be
    one of the quick ones. Without a history, or past p90, nobody knows: then a tenth of the time already
    waited, between 5 and 30 s, so that asking again costs little and lengthens the wait by a tenth at most.
    """
    waited = seconds(elapsed)
    remaining = seconds(estimate.p90) - waited if estimate else 0.0
    if remaining > 0:
        return min(ceil(remaining), 300)
    return min(max(ceil(waited / 10), 5), 30)


def history(say: Words, estimate: Estimate | None) -> str:
    """What is known of past wakes, in words that stay true for few of them.

    Below ten wakes the nearest rank of p90 is the longest one, so "at most" speaks of all of them.
    """
    if estimate is None:
        return say["waking.first"]
    median, p90 = time_text(say, estimate.median), time_text(say, estimate.p90, up=True)
    if estimate.count == 1:
        key = "one"
    elif median == p90:
        key = "steady"
    else:
        key = "few" if estimate.count < _ENOUGH else "usual"
    return say[f"waking.{key}"].format(median=median, p90=p90, count=estimate.count)


def share(estimate: Estimate, elapsed: float) -> float:
    """How full the bar is: 0.7 at the median, 0.9 at p90, then slower and slower towards 0.98, never full.

    ``share`` in templates/waiting.js is the same.
    """
    median, p90 = max(seconds(estimate.median), 0.5), max(seconds(estimate.p90), 0.5)
    knee = 0.7 if p90 > median else 0.9
    if elapsed <= median:
        return knee * elapsed / median
    if elapsed <= p90:
        return 0.7 + 0.2 * (elapsed - median) / (p90 - median)
    return 0.98 - 0.08 * p90 / elapsed


def state(elapsed: float, estimate: Estimate | None, trouble: bool) -> str:
    if trouble:
        return "trouble"
    return "late" if estimate and elapsed > seconds(estimate.p90) else "lead"


def left(say: Words, elapsed: float, estimate: Estimate | None, trouble: bool) -> str:
    if estimate is None or trouble:
        return ""
    if elapsed > seconds(estimate.p90):
        return say["waking.overdue"]
    if elapsed >= seconds(estimate.median):
        return say["waking.moment"]
    return say["waking.left"].format(time=time_text(say, seconds(estimate.median) - elapsed, up=True))
