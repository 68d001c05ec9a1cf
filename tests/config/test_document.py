from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from poorwill.config.document import Place, Unreadable, read


def test_values_and_places() -> None:
    document = read("a: 1\nb:\n  - x\n  - {q: no, r: 0o17}\n", {})
    assert document.value == {"a": 1, "b": ["x", {"q": "no", "r": 15}]}
    assert document.keys[("b",)] == Place(2, 1)
    assert document.values[("b", 1, "r")] == Place(4, 16)
    assert document.keys[("b", 1, "r")] == Place(4, 13)
    assert document.written[("b", 1, "r")] == "0o17"


def test_scalars() -> None:
    numbers = read("[1, -2, 1_000, 010, 0x1F, 1.5, .5, 1e3, true, False, ~, null]", {}).value
    assert numbers == [1, -2, 1000, 10, 31, 1.5, 0.5, 1000.0, True, False, None, None]
    texts = read("[yes, 12:30, 2026-01-01, '1', !!str 1, 1.2.3]", {}).value
    assert texts == ["yes", "12:30", "2026-01-01", "1", "1", "1.2.3"]


def test_keys_stay_text() -> None:
    assert read("1: a\ntrue: b\n~: c\n", {}).value == {"1": "a", "true": "b", "~": "c"}


def test_a_strange_tag_is_told() -> None:
    document = read("a: !secret x\nb: !!set {x}\n", {})
    assert [(loc, trouble.message) for loc, trouble in document.troubles] == [
        (("a",), "the tag !secret means nothing here"),
        (("b",), "the tag tag:yaml.org,2002:set means nothing here"),
    ]


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`, \n\t?<$~1.", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = read(text, {})
    except Unreadable as error:
        trouble = error.trouble
    else:
        places = [*document.keys.values(), *document.values.values()]
        assert all(place.line >= 1 and place.column >= 1 for place in places)
        return
    assert trouble.message
    assert trouble.line >= 1
