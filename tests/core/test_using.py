"""From looks to stretches: by hand, and against moments that are grouped in another way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.model import Now
from poorwill.core.stretch import Stretch, joined, stretch_from
from poorwill.core.using import Going, Pace, Use, end, read
from poorwill.core.waits import Waits

WALL = 1_800_000_000.0


def now(mono: float) -> Now:
    return Now(WALL + mono, mono, "boot")


def at(first: float, last: float | None = None, answered: int = 1, **more: object) -> Use:
    return Use(answered, first, last or first, **more)  # type: ignore[arg-type]


def looks(*uses: tuple[float, Use], leaves: float | None = None) -> list[Stretch]:
    """Looked at when something is told, and once a second in between."""
    told = dict(uses)
    until = leaves or max(told) + 100.0
    moments = sorted({*told, *map(float, range(int(min(told)), int(until)))})
    going: Going | None = None
    found: list[Stretch] = []
    for moment in moments:
        going, written = read("notes", going, told.get(moment, Use()), now(moment))
        found += written
    return [*found, *(end("notes", going, now(until)) if going and leaves else ())]


def test_nobody_is_no_stretch() -> None:
    assert looks((10.0, Use())) == []


def test_a_minute_without_anybody_ends_it() -> None:
    first, second = looks((10.0, at(9.5)), (69.0, at(69.0, answered=2)), (130.0, at(130.0)))
    assert first == Stretch("notes", WALL + 9.5, WALL + 69.0, requests=3)
    assert second == Stretch("notes", WALL + 130.0, WALL + 130.0, requests=1)


def test_waits_go_to_the_stretch_that_they_begin() -> None:
    waits = Waits(waited=2, seconds=50.0, longest=30.0)
    [one] = looks(
        (20.0, Use(first_at=20.0, last_at=20.0, waits=Waits(gave_up=1))),
        (40.0, at(40.0, answered=2, waits=waits)),
        (50.0, at(50.0, waits=Waits(refused=1, waited=1, seconds=1.0, longest=1.0))),
    )
    assert (one.requests, one.waited, one.wait_seconds, one.longest_wait) == (3, 3, 51.0, 30.0)
    assert (one.gave_up, one.refused) == (1, 1)


def test_while_somebody_waits_it_is_not_over_and_yet_it_does_not_grow() -> None:
    gives_up = Use(first_at=10.0, last_at=10.0, waits=Waits(gave_up=1), waiting=1)
    waiting = [(float(second), Use(waiting=1)) for second in range(11, 200)]
    got_in = at(200.0, waits=Waits(waited=1, seconds=195.0, longest=195.0))
    [one] = looks((10.0, gives_up), *waiting, (200.0, got_in))
    assert (one.start, one.end, one.gave_up, one.waited) == (WALL + 10, WALL + 200, 1, 1)
    [alone] = looks((10.0, gives_up), *waiting)
    assert (alone.start, alone.end) == (WALL + 10, WALL + 10)


def test_an_answer_to_what_began_long_ago_is_a_moment_of_its_own() -> None:
    [first, second] = looks((10.0, at(10.0, answered=0)), (100.0, Use(answered=1)))
    assert (first.requests, first.end) == (0, WALL + 10.0)
    assert (second.requests, second.start) == (1, WALL + 100.0)


def test_a_part_is_written_every_ten_minutes_and_begins_where_the_last_one_ended() -> None:
    uses = [(float(second), at(float(second), gpu_memory=second)) for second in range(0, 1500, 30)]
    parts = looks(*uses)
    assert [one.end - one.start for one in parts] == [600.0, 600.0, 270.0]
    assert [one.start for one in parts[1:]] == [one.end for one in parts[:-1]]
    assert sum(one.requests for one in parts) == 50
    assert [one.gpu_memory for one in parts] == [600, 1200, 1470]
    assert joined(parts) == (Stretch("notes", WALL, WALL + 1470.0, 50, gpu_memory=1470),)


def test_a_part_in_which_nothing_happened_is_not_written() -> None:
    waiting = [(float(second), Use(waiting=1)) for second in range(1, 2000)]
    assert len(looks((0.0, at(0.0)), *waiting)) == 1


def test_what_is_open_is_written_when_the_program_leaves() -> None:
    assert looks((10.0, at(10.0)), leaves=12.0) == [Stretch("notes", WALL + 10, WALL + 10, 1)]


def test_a_clock_that_was_set_moves_a_stretch_and_does_not_stretch_it() -> None:
    going, _ = read("notes", None, at(10.0), now(10.0))
    going, _ = read("notes", going, at(20.0), now(20.0))
    assert going is not None
    [one] = end("notes", going, Now(WALL + 3600 + 30, 30.0, "boot"))
    assert (one.start, one.end) == (WALL + 3610.0, WALL + 3620.0)


@given(st.lists(st.tuples(st.integers(1, 150), st.integers(0, 3)), min_size=1, max_size=60))
def test_parts_put_together_are_the_moments_grouped_by_their_gaps(steps: list[tuple[int, int]]) -> None:
    pace, moment, counts = Pace(gap=60.0, write_every=200.0), 0, {}
    for pause, answered in steps:
        moment += pause
        counts[moment] = answered
    groups: list[list[int]] = []
    for one in counts:
        if groups and one - groups[-1][-1] <= 60:
            groups[-1].append(one)
        else:
            groups.append([one])
    going: Going | None = None
    written: list[Stretch] = []
    for second in range(moment + 1):
        use = at(second, answered=counts[second]) if second in counts else Use()
        going, parts = read("notes", going, use, now(float(second)), pace)
        written += parts
    assert going is not None
    written += end("notes", going, now(float(moment)))
    assert joined(written) == tuple(
        Stretch("notes", WALL + group[0], WALL + group[-1], sum(counts[one] for one in group))
        for group in groups
    )
    assert len(written) <= moment / 60 + 1
    assert [stretch_from("notes", one.as_json()) for one in written] == written
