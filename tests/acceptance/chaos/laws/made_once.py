"""What changes something reaches the service once at most, and what was answered right was read to its end
by it. (Whether it answered, a process that is killed may be unable to write down.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import Answer, Record

_MAY_REPEAT = {"get", "plain", "work", "sse", "page", "click", "regular"}


def broken(record: Record) -> Iterator[str]:
    got = Counter(line.id for line in record.lines if line.what == "got")
    whole = {line.id for line in record.lines if line.what == "whole"}
    kinds = {one.id: one.kind for one in record.asked}
    for name, count in got.items():
        if name not in kinds:
            yield f"{name} reached a service, and nobody asked it"
        elif count > 1 and kinds[name] not in _MAY_REPEAT:
            yield f"{name} reached its service {count} times"
    for one in record.asked:
        if one.service in record.diaries and one.answer is Answer.RIGHT and one.id not in whole:
            yield f"{one.id} was answered, and {one.service} never read it"


def spoiled(record: Record) -> Iterator[Record]:
    post = next(one for one in record.asked if one.kind == "post")
    line = next(line for line in record.lines if line.id == post.id and line.what == "got")
    yield replace(record, lines=(*record.lines, line))
    yield replace(record, lines=tuple(one for one in record.lines if one.id != post.id))
    yield replace(record, asked=tuple(one for one in record.asked if one != post))
