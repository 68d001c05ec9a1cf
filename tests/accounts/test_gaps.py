"""Of what nothing is known, because no Poorwill ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.accounts.written import life, wall, write

from poorwill.accounts.gaps import gaps
from poorwill.core.spans import Span
from poorwill.store.journal import Entry, Kind, read_only

LINES = [
    ("2025-03-03 08:00", Entry(Kind.UP)),
    *life("kb", "2025-03-03 09:00", "2025-03-03 10:00"),
    ("2025-03-04 08:00", Entry(Kind.DOWN)),
    ("2025-03-06 08:00", Entry(Kind.UP)),
    *life("kb", "2025-03-06 09:00", "2025-03-06 10:00"),  # then it is killed
    ("2025-03-09 08:00", Entry(Kind.UP)),
    ("2025-03-10 08:00", Entry(Kind.DOWN)),
    ("2025-03-10 08:00:20", Entry(Kind.UP)),  # a restart is no gap
    *life("kb", "2025-03-11 09:00", "2025-03-11 10:00"),
]
KNOWN_GAPS = [("2025-03-04 08:00", "2025-03-06 08:00"), ("2025-03-06 10:00", "2025-03-09 08:00")]
LAST = ("2025-03-11 10:00", "2025-03-20 00:00")


@pytest.mark.parametrize("watched", [True, False])
async def test_when_no_poorwill_ran(tmp_path: Path, *, watched: bool) -> None:
    await write(tmp_path, LINES)
    since, now = wall("2025-03-03 08:00"), wall(LAST[1])
    with read_only(tmp_path) as archive:
        found = gaps(archive, since, now, now, watched=watched)
        inside = gaps(archive, wall("2025-03-05 00:00"), wall("2025-03-07 00:00"), now, watched=watched)
    expected = KNOWN_GAPS if watched else [*KNOWN_GAPS, LAST]
    assert list(found) == [_span(*one) for one in expected]
    assert list(inside) == [
        _span("2025-03-05 00:00", "2025-03-06 08:00"),
        _span("2025-03-06 10:00", "2025-03-07 00:00"),
    ]


async def test_a_journal_in_which_no_start_is_known(tmp_path: Path) -> None:
    """Its beginning was cut off."""
    await write(tmp_path, life("kb", "2025-03-03 09:00", "2025-03-03 10:00"))
    since, now = wall("2025-03-03 09:00"), wall("2025-03-04 00:00")
    with read_only(tmp_path) as archive:
        assert gaps(archive, since, now, now, watched=False) == (
            _span("2025-03-03 10:00", "2025-03-04 00:00"),
        )


def _span(start: str, stop: str) -> Span:
    return wall(start), wall(stop)
