"""From the lines of the journal to lives that can be billed.

A life begins with the START that was written down before the provider was asked: from then on it may be
billed. What others started begins where the provider says, or with the last look that showed nothing yet. It
ends with the look that showed it gone, or when the provider says it ended. With both of the provider's own
timestamps these alone count.

What nobody knows is billed: a life that nobody saw end goes on, and a start of which nobody can say what came
of it lasts until it was given up. How much of a life is such a guess stands in ``Life.unconfirmed``.

The axis: a life stands where the wall clock stood at its last line (or stands now, while it goes on), and is
as long as really went by until then (see ``core.note``). So a clock that is set neither makes a life longer
nor shorter, and one that was wrong at the host's boot moves nothing but what ended before it was put right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from poorwill.core.chapters import CLOSES, KINDS, OPENS, OVER, Chapter, chapters
from poorwill.core.life import Life
from poorwill.core.model import Now
from poorwill.core.note import Note, elapsed, positions

__all__ = ["CLOSES", "KINDS", "OPENS", "OVER", "Note", "lives"]

_Neighbours = tuple[Chapter | None, Chapter | None]
"""The life of the same instance before a life, and the one after it."""

SHOWN = ("start", "there", "ready")
"""Lines that cannot be later than its end."""

CLOCKS = 1.0
"""Seconds by which two clocks may differ that are both set well."""

DOUBT = 60.0
"""Seconds by which a provider's timestamps may contradict what was watched before they are not believed."""


@dataclass(frozen=True, slots=True)
class _Present:
    now: float
    clock: Now | None

    def after(self, note: Note) -> float:
        """Seconds since a line was written."""
        if self.clock is not None and self.clock.boot == note.boot:
            return max(0.0, self.clock.mono - note.mono)
        return max(0.0, self.now - note.at)

    def blind(self, note: Note) -> float:
        """Seconds since somebody could tell, by the line that says that nobody can."""
        known = _time(note, "known")
        return self.after(note) + (max(0.0, note.at - known) if known is not None else 0.0)


def lives(
    notes: Sequence[Note], now: float, *, watched: bool = True, clock: Now | None = None
) -> tuple[Life, ...]:
    """Every life that these lines tell of, in the order in which they began.

    ``notes`` are those of ``Archive.ledger``, the first of them from the begin of the journal if that was cut
    off. ``watched`` says that a Poorwill runs at ``now``, if it did not say itself that it ended: else what
    lies after its last line is a guess.
    ``clock`` is the reading of the clocks that ``now`` is from: with it, lives that go on are as long as they
    are although the wall clock was set since their last line.
    """
    written = sorted({note.id: note for note in notes}.values(), key=lambda note: note.id)
    if not written:
        return ()
    present = _Present(now, clock)
    silent = _went_down(written) if watched else written[-1]
    lost = _lost_sight(written)
    found: list[Life] = []
    for own in _by_instance(written).values():
        unsure = [present.blind(note) for note in (silent, lost.get(own[0].service)) if note is not None]
        told = chapters(own)
        for before, chapter, after in zip([None, *told], told, [*told[1:], None], strict=False):
            life = _life(chapter, (before, after), written[0], present, max(unsure, default=0.0))
            if life is not None:
                found.append(life)
    return tuple(sorted(found, key=lambda life: (life.start, life.instance)))


def _by_instance(notes: Iterable[Note]) -> dict[tuple[str, str], list[Note]]:
    found: dict[tuple[str, str], list[Note]] = {}
    for note in notes:
        if note.instance and note.kind in KINDS:
            found.setdefault((note.service, note.instance), []).append(note)
    return found


def _went_down(notes: Iterable[Note]) -> Note | None:
    """The line with which Poorwill ended, when it did not come up again."""
    ends = [note for note in notes if note.kind in ("up", "down") and not note.service]
    return ends[-1] if ends and ends[-1].kind == "down" else None


def _lost_sight(notes: Iterable[Note]) -> dict[str, Note]:
    """Since when nobody can tell what runs, for each service of which that is so."""
    found: dict[str, Note] = {}
    for note in notes:
        if note.kind == "phase":
            if note.detail.get("phase") == "unknown":
                found.setdefault(note.service, note)
            else:
                found.pop(note.service, None)
    return found


def _life(
    chapter: Chapter, beside: _Neighbours, first: Note, present: _Present, unsure: float
) -> Life | None:
    """``unsure`` is for how long until now nobody could tell whether a life that goes on does."""
    if _costs_nothing(chapter):
        return None
    notes, end = chapter.notes, chapter.end
    if chapter.stray and first.id < notes[0].id:
        notes = (first, *notes)
    at = dict(zip((note.id for note in notes), positions(notes), strict=True))
    begin = 0.0 if chapter.stray else _begin(chapter, beside[0], at)
    payer, instance = chapter.notes[0].service, chapter.notes[0].instance
    if end is None:
        length = at[notes[-1].id] - begin + present.after(notes[-1])
        guess = _unseen(chapter, length) or unsure + _head(chapter, begin, at)
        return Life(payer, instance, present.now - length, None, min(guess, length))
    earliest = _earliest(chapter, beside[0], at)
    earliest = begin if earliest is None else min(begin, earliest)
    if (exact := _exact(chapter, earliest, at)) is not None:
        return Life(payer, instance, *exact, exact=True)
    shown = max((at[note.id] for note in notes if note.kind in SHOWN), default=0.0)
    length = max(at[end.id] - min(_ago(end, beside[1]), at[end.id] - shown) - begin, 0.0)
    guess = _unseen(chapter, length) or _head(chapter, begin, at) + _tail(end, at, notes)
    guess = length if chapter.stray else min(guess, length)
    start = notes[-1].at - at[notes[-1].id] + begin
    return Life(payer, instance, start, start + length, guess)


def _costs_nothing(chapter: Chapter) -> bool:
    """A start that the provider refused before it made anything, unless an earlier one is not settled."""
    starts = sum(note.kind == "start" for note in chapter.notes)
    end = chapter.end
    refused = end is not None and end.kind == "failed" and end.detail.get("refused") is True
    return refused and starts == 1 and not chapter.seen


def _begin(chapter: Chapter, before: Chapter | None, at: dict[int, float]) -> float:
    """When it began, in seconds after its first line: below zero for what others began before."""
    told = chapter.there
    if told is None:
        return 0.0
    since, earliest = _time(told, "since"), _earliest(chapter, before, at)
    if since is not None:
        begin = at[told.id] - max(0.0, told.at - since)
        return min(0.0, begin if earliest is None else max(begin, earliest))
    by_others = chapter.notes[0].kind == "there"
    return min(0.0, earliest) if by_others and earliest is not None else 0.0


def _earliest(chapter: Chapter, before: Chapter | None, at: dict[int, float]) -> float | None:
    """When it had not begun yet, or the life before had not ended, where anybody knows."""
    first = chapter.find("there")
    absent = _time(first, "absent") if first else None
    if first is None or absent is None:
        return None
    earliest = at[first.id] - max(0.0, first.at - absent)
    if before is None or before.end is None:
        return earliest
    return max(earliest, -elapsed(before.end, chapter.notes[0]) - _ago(before.end, chapter))


def _ago(end: Note, following: Chapter | None) -> float:
    """How long before its line it ended, as far as the provider says: at the latest when the next began."""
    until, seen = _until(end), _time(end, "seen")
    if until is not None:
        return max(0.0, end.at - until)
    there = following.there if following else None
    since = _time(there, "since") if there else None
    if there is None or since is None or seen is None:
        return 0.0
    return max(0.0, min(there.at - since - elapsed(end, there), end.at - seen))


def _exact(chapter: Chapter, earliest: float, at: dict[int, float]) -> tuple[float, float] | None:
    """Both ends by the provider's clock, unless that contradicts what was watched.

    Where it tells the beginning once more at the end, both were read from the clock as it is set now. If its
    clock and ours are far apart, it says how long the life was, and ours when that was.
    """
    there, end = chapter.there, chapter.end
    if there is None or end is None:
        return None
    since, until = _time(there, "since"), _time(end, "until")
    again = _time(end, "since")
    since, again = (again if since is None else since), (since if again is None else again)
    if since is None or until is None or again is None:
        return None
    length = until - again
    seen = _time(end, "seen")
    shortest = at[end.id] - at[there.id] - (end.at - seen) if seen is not None else 0.0
    if not max(0.0, shortest - DOUBT) <= length <= at[end.id] - earliest + DOUBT:
        return None
    written = end.at - (at[end.id] - earliest)
    if not written - DOUBT <= since <= end.at + DOUBT - length:
        since = end.at - length
    return since, since + length


def _unseen(chapter: Chapter, length: float) -> float:
    """All of a life that nobody ever saw is a guess."""
    return 0.0 if chapter.seen else length


def _head(chapter: Chapter, begin: float, at: dict[int, float]) -> float:
    """What lies before the first line, where the provider does not say since when it was there."""
    there = chapter.there
    known = there is not None and _time(there, "since") is not None
    return 0.0 if known else max(0.0, -begin)


def _tail(end: Note, at: dict[int, float], notes: Sequence[Note]) -> float:
    """From when it was last known to be there to when it was seen to be gone."""
    if end.kind != "gone" or _until(end) is not None:
        return 0.0
    seen = _time(end, "seen")
    if seen is not None:
        return max(0.0, end.at - seen)
    shown = [at[note.id] for note in notes if note.kind in ("there", "ready")]
    return at[end.id] - max(shown, default=0.0)


def _until(end: Note) -> float | None:
    """When it ended as the provider says, if that is between the last look that showed it and the next."""
    until, seen = _time(end, "until"), _time(end, "seen")
    if until is None or until > end.at + CLOCKS or (seen is not None and until < seen - CLOCKS):
        return None
    return until


def _time(note: Note, key: str) -> float | None:
    """A moment that the line tells of; None when it does not, or tells nonsense."""
    value = note.detail.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
