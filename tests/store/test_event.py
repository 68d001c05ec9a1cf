"""An entry comes back from its row as it went in, without secrets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.event import WITHHELD, Entry, Kind, event_of, row_of

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(
    entry=st.builds(
        Entry,
        kind=st.sampled_from(Kind),
        service=st.from_regex(r"[a-z]{0,8}", fullmatch=True),
        reason=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        detail=st.dictionaries(st.sampled_from("xyz"), json_values, max_size=3),
    ),
    microseconds=st.integers(0, 4_000_000_000_000_000),
)
def test_comes_back_as_it_was(entry: Entry, microseconds: int) -> None:
    now = Now(wall=microseconds / 1_000_000, mono=3.5, boot="b")
    event = event_of({"id": 7, **row_of(entry, now)})
    assert (event.id, event.at, event.mono, event.boot) == (7, now.wall, 3.5, "b")
    assert (event.kind, event.service, event.instance) == (entry.kind, entry.service, entry.instance)
    assert (event.reason, event.detail) == (entry.reason, entry.detail)


def test_text_that_no_database_takes_is_spelled_out(now: Now) -> None:
    row = row_of(Entry(Kind.FAILED, reason="bad \udcff byte, NUL \0"), now)
    assert row["reason"] == "bad \\udcff byte, NUL \\0"


def test_secrets_are_left_out(now: Now) -> None:
    detail = {
        "handle": {"pid": 3, "api_key": "k", "env": [{"DB_PASSWORD": "p"}], "token": "t"},
        "tokens": 5,
        "Authorization": None,
    }
    row = row_of(Entry(Kind.STARTED, detail=detail), now)
    assert json.loads(row["detail"]) == {
        "handle": {"pid": 3, "api_key": WITHHELD, "env": [{"DB_PASSWORD": WITHHELD}], "token": WITHHELD},
        "tokens": 5,
        "Authorization": None,
    }


@pytest.mark.parametrize(
    ("detail", "error"), [({"x": float("nan")}, ValueError), ({"x": object()}, TypeError)]
)
def test_a_detail_that_is_not_json_is_the_callers_mistake(
    detail: dict[str, object], error: type[Exception], now: Now
) -> None:
    with pytest.raises(error):
        row_of(Entry(Kind.PHASE, detail=detail), now)


def test_a_kind_of_a_newer_version_is_named(now: Now) -> None:
    row = {"id": 9, **row_of(Entry(Kind.PHASE), now), "kind": "teleported"}
    with pytest.raises(StateError, match=r"event 9 .*'teleported'") as caught:
        event_of(row)
    assert "newer" in caught.value.hint


@pytest.mark.parametrize("detail", ["{cut o", "", "[]", "null", '"text"', "7", None])
def test_a_damaged_line_says_which_it_is(detail: str | None, now: Now) -> None:
    row = {"id": 9, **row_of(Entry(Kind.PHASE), now), "detail": detail}
    with pytest.raises(StateError, match=r"event 9 .*\(phase\) is damaged") as caught:
        event_of(row)
    assert "backup" in caught.value.hint
