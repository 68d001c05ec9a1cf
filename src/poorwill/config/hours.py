"""``Mon-Fri 09:00-18:00``: days and times of the day as people write them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from pydantic_core import PydanticCustomError

from poorwill.config.complaint import expected, wrong
from poorwill.core.pattern import Spell

_HOURS = "hours such as Mon-Fri 09:00-18:00"
_SHORT = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {name: index for names in (_SHORT, _LONG) for index, name in enumerate(names)} | {
    "tues": 1,
    "thur": 3,
    "thurs": 3,
}
_GROUPS = {
    "daily": range(7),
    "everyday": range(7),
    "weekdays": range(5),
    "weekday": range(5),
    "weekends": range(5, 7),
    "weekend": range(5, 7),
}
_MIDNIGHT = 24 * 60
_LONGEST = 400


def parse_hours(text: str) -> tuple[Spell, ...]:
    """Days and their times; without days every day. A part that ends before it begins runs past midnight."""
    spells: list[Spell] = []
    days: set[int] = set()
    fresh = True  # the next day begins a new part
    for word in _words(text):
        if word[0].isdigit():
            spells.append(Spell(frozenset(days or range(7)), *_times(word)))
            fresh = True
            continue
        days = set() if fresh else days
        fresh = False
        days |= _named_days(word)
    if not spells or not fresh:
        raise expected(_HOURS, "days first, then from when to when")
    return tuple(spells)


def parse_times(text: str) -> tuple[tuple[int, int], ...]:
    """Times without days: ``10:00-14:00, 16:00-18:00``, in minutes after midnight."""
    words = list(_words(text))
    if not words or not all(word[0].isdigit() for word in words):
        raise expected("times such as 10:00-14:00", "the day is said by date")
    return tuple(_times(word) for word in words)


def parse_time(text: str) -> int:
    """``9:00`` in minutes after midnight."""
    match = re.fullmatch(r"(\d{1,2})(?::(\d\d))?", text.strip(), re.ASCII)
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if minute > 59 or hour * 60 + minute > _MIDNIGHT:
        better = _of_24(text)
        raise expected("a time such as 9:00", f"write {better}" if better else "from 00:00 to 24:00")
    return hour * 60 + minute


def time_text(minute: int) -> str:
    """``09:00``; 24:00 is the end of a day, and what is past it is written as the time of the next."""
    minute = minute if minute <= _MIDNIGHT else minute - _MIDNIGHT
    return f"{minute // 60:02}:{minute % 60:02}"


def _words(text: str) -> Iterator[str]:
    if len(text) > _LONGEST:
        raise expected(_HOURS)
    joined = re.sub(r"\s*[-–—~]\s*", "-", text.replace("：", ":").lower())
    return iter([word for word in re.split(r"[\s,;，；]+", joined) if word])


def _named_days(word: str) -> set[int]:
    if word in _GROUPS:
        return set(_GROUPS[word])
    first, dash, last = word.partition("-")
    begin, end = _day(first, word), _day(last, word) if dash else None
    if end is None:
        return {begin}
    # Fri-Mon goes around the end of the week.
    return {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}


def _day(name: str, word: str) -> int:
    if name in _DAYS:
        return _DAYS[name]
    near = difflib.get_close_matches(name, [*_SHORT, *_LONG, *_GROUPS], n=1, cutoff=0.5)
    known = "the days are Mon, Tue, Wed, Thu, Fri, Sat and Sun"
    raise wrong(f"{word} is no day", f"did you mean {near[0].capitalize()}?" if near else known)


def _times(word: str) -> tuple[int, int]:
    first, dash, last = word.partition("-")
    if not dash:
        raise expected(_HOURS, f"from when to when: {word}-18:00")
    try:
        start, stop = parse_time(first), parse_time(last)
    except PydanticCustomError as error:
        halves = [_of_24(half) for half in (first, last)]
        hint = f"write {'-'.join(halves)}" if all(halves) else "from 00:00 to 24:00"
        raise wrong(f"{word} is no span of time", hint) from error
    if start == stop:
        raise wrong(f"{word} begins and ends at the same time", "the whole day is 00:00-24:00")
    if start == _MIDNIGHT:
        raise wrong(f"{word} begins at the end of the day", "write 00:00 and the next day")
    return start, stop if stop > start else stop + _MIDNIGHT


def _of_24(text: str) -> str:
    """``9am`` and ``9`` as ``09:00``; empty for what is neither."""
    half = re.fullmatch(r"(\d{1,2})(?::(\d\d))?\s*(am|pm)?", text.strip().lower(), re.ASCII)
    if half is None or int(half[1]) > (12 if half[3] else 24) or int(half[2] or 0) > 59:
        return ""
    hour = int(half[1]) % 12 + (12 if half[3] == "pm" else 0) if half[3] else int(half[1])
    return f"{hour:02}:{half[2] or '00'}"
