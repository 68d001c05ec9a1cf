"""When no Poorwill ran, by the lines of its journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.core.model import Now
from poorwill.store.journal import Entry, Journal, Kind, read_only

DAY = 86400.0
UP, DOWN = Entry(Kind.UP), Entry(Kind.DOWN)
TOLD = Entry(Kind.PHASE, "kb")


@pytest.mark.parametrize(
    ("lines", "absent"),
    [
        ([], []),
        ([(0, UP), (50, TOLD)], [(50, None)]),
        ([(0, UP), (50, DOWN), (500, TOLD), (510, UP), (600, TOLD)], [(50, 500), (600, None)]),
        # killed, and then the new one wrote before it was up
        ([(0, UP), (90, TOLD), (DAY, TOLD), (DAY + 9, TOLD), (DAY + 10, UP)], [(90, DAY), (DAY + 10, None)]),
        ([(0, UP), (DAY, UP)], [(0, DAY), (DAY, None)]),
        # started again at once, while it had much to tell
        ([(0, UP), (DAY, TOLD), (DAY + 1, TOLD), (DAY + 4, UP)], [(0, DAY), (DAY + 4, None)]),
        # a journal that is older than this, or was cut off: nobody can know when that one came
        ([(0, TOLD), (DAY, TOLD), (DAY + 5, UP)], [(DAY + 5, None)]),
    ],
)
async def test_absences(
    tmp_path: Path, lines: list[tuple[float, Entry]], absent: list[tuple[float, float | None]]
) -> None:
    journal = await Journal.open(tmp_path)
    for at, entry in lines:
        await journal.append(Now(at, at, "boot"), entry)
    await journal.close()
    with read_only(tmp_path) as archive:
        assert archive.absences(0, 2 * DAY) == absent


async def test_what_reaches_into_a_time_is_found_from_outside_of_it(tmp_path: Path) -> None:
    """Whoever asks for a day in the middle gets what that day has to do with, and no more."""
    journal = await Journal.open(tmp_path)
    for day in range(0, 40, 4):
        ended = DOWN if day % 8 else TOLD  # every other time it is killed then
        for at, entry in ((day, UP), (day + 1, ended), (day + 2, UP), (day + 2.5, TOLD)):
            await journal.append(Now(at * DAY, at * DAY, "boot"), entry)
    await journal.close()
    with read_only(tmp_path) as archive:
        whole = archive.absences(0, 40 * DAY)
        assert len(whole) == 20
        for begin, end in ((9.2, 9.8), (10.7, 11.3), (8.2, 14.1), (38.6, 39.0), (8.1, 8.9)):
            found = archive.absences(begin * DAY, end * DAY)
            wanted = [gap for gap in whole if gap[0] < end * DAY and (gap[1] or 99 * DAY) > begin * DAY]
            assert set(wanted) <= set(found)
            assert len(found) <= len(wanted) + 4
