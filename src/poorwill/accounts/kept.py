"""Which time counts for what was saved: when it was configured, and a Poorwill ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from poorwill.core.life import Life
from poorwill.core.spans import Span, minus
from poorwill.store.event import Event


def kept(
    stated: Sequence[Event], lives: Iterable[Life], absent: Sequence[Span], now: float
) -> Mapping[str, Sequence[Span]]:
    """By payer. ``stated`` are all lines with terms, ``absent`` is when no Poorwill ran.

    What the first of these lines names may have been there before: lines with terms are younger than lives.
    """
    whole = [one for one in stated if not one.service]
    found: dict[str, list[Span]] = defaultdict(list)
    ends = [*(one.at for one in whole[1:]), now]
    for one, end in zip(whole, ends[: len(whole)], strict=True):
        for payer in one.detail["payers"]:
            found[payer].append((one.at, end))
    for life in lives:
        if whole and life.payer in whole[0].detail["payers"]:
            found[life.payer].append((life.start, whole[0].at))
    return {payer: minus(spans, absent) for payer, spans in found.items()}


def absences(told: Iterable[tuple[float, float | None]], now: float, *, watched: bool) -> tuple[Span, ...]:
    """Up to now. ``watched`` says that a Poorwill runs, so that nobody is absent after the last line."""
    return tuple(
        (start, now if end is None else min(end, now))
        for start, end in told
        if start < now and not (end is None and watched)
    )
