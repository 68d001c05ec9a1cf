"""Sets of time: small cases by hand, and the laws of sets for any."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.spans import Span, both, clip, minus, total, union

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def seconds(of: list[Span]) -> set[int]:
    """Every whole second that is in them: the set they stand for."""
    return {at for start, end in of for at in range(int(start), int(end))}


def test_pauses_are_closed_when_asked() -> None:
    assert union([(5, 7), (0, 3), (3, 4)]) == [(0, 4), (5, 7)]
    assert union([(0, 3), (5, 7)], gap=2) == [(0, 7)]
    assert union([(3, 3), (9, 2)]) == []


@given(spans, spans)
def test_they_are_sets(ours: list[Span], others: list[Span]) -> None:
    assert seconds(union(ours)) == seconds(ours)
    assert seconds(minus(ours, others)) == seconds(ours) - seconds(others)
    assert seconds(both(ours, others)) == seconds(ours) & seconds(others)
    assert seconds(clip(ours, 10, 40)) == seconds(ours) & set(range(10, 40))
    for result in (union(ours), minus(ours, others), both(ours, others)):
        assert all(one[1] < other[0] for one, other in itertools.pairwise(result))
        assert total(result) == len(seconds(result))
