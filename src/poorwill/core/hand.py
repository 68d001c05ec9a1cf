"""What a person said, as long as it holds: the last word, or a plan for these hours."""

from __future__ import annotations

from poorwill.core.model import Hand, Now, Observation, Plan


def in_force(seen: Observation, now: Now) -> Hand | None:
    """The last word before a plan; of two plans for the same hour the one made last."""
    return spoken(seen.hand, now) or planned(seen.plans, now)


def spoken(hand: Hand | None, now: Now) -> Hand | None:
    if hand is None or (hand.until is not None and now.mono >= hand.until):
        return None
    return None if hand.until_wall is not None and now.wall >= hand.until_wall else hand


def planned(plans: tuple[Plan, ...], now: Now) -> Hand | None:
    for plan in reversed(plans):
        if plan.start <= now.wall < plan.stop:
            began = now.mono - (now.wall - plan.start)
            return Hand(plan.kind, began, now.mono + (plan.stop - now.wall), plan.by)
    return None
