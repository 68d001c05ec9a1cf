from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.config.environment import fill

ENV = {"A": "one", "EMPTY": "", "TRICK": "${A}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${A}", "one"),
        ("x${A}y${A}", "xoneyone"),
        ("${NONE:-two}", "two"),
        ("${A:-two}", "one"),
        ("${EMPTY}", ""),
        ("${EMPTY:-two}", "two"),
        ("${NONE:-}", ""),
        ("${NONE:-http://x:1/}", "http://x:1/"),
        ("${TRICK}", "${A}"),
        ("$${A}", "${A}"),
        ("$A $ $$ $1", "$A $ $$ $1"),
    ],
)
def test_filling(text: str, filled: str) -> None:
    result = fill(text, ENV)
    assert (result.text, result.problems) == (filled, ())


def test_only_references_count_as_changes() -> None:
    assert fill("${A}", ENV).changed
    assert not fill("$${A} $A", ENV).changed


def test_a_missing_variable() -> None:
    ((message, hint),) = fill("${NONE}", ENV).problems
    assert message == "the environment has no variable NONE"
    assert hint == "set it, or write ${NONE:-default}"


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A-b}", "${ A }", "${A:-${B}}"])
def test_what_only_looks_like_a_reference(text: str) -> None:
    ((message, hint),) = fill(text, ENV).problems[:1]
    assert message.startswith("${ begins a variable")
    assert hint == "write $${ where ${ is meant as it stands"


@given(st.text(alphabet="${}:-AB", max_size=20))
def test_every_text_is_filled_or_complained_about(text: str) -> None:
    result = fill(text, {"A": "x", "B": "y"})
    if "${" not in text:
        assert result.text == text
    if not result.problems and "$${" not in text:
        assert "${" not in result.text
