"""Words meet their other forms, Chinese of any length is found, and nothing typed is ever FTS5 syntax."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.demo.terms import asked, is_prefix, match_expression, terms


@pytest.mark.parametrize(
    "forms",
    [
        ["hibernate", "hibernates", "hibernated", "hibernating", "hibernation"],
        ["bill", "bills", "billed", "billing"],
        ["stop", "stops", "stopped", "stopping"],
        ["body", "bodies"],
        ["price", "prices", "priced", "pricing"],
        ["Café", "CAFE", "ｃａｆé", "cafés"],
    ],
)
def test_forms_of_a_word_are_one_term(forms: list[str]) -> None:
    assert len({term for form in forms for term in terms(form)}) == 1


def test_short_words_are_left_alone() -> None:
    assert list(terms("gas use red bus")) == ["gas", "use", "red", "bus"]


def test_chinese_becomes_pairs_and_its_last_character() -> None:
    assert list(terms("弱夜鹰 sleeps")) == ["弱夜", "夜鹰", "鹰", "sleep"]


def test_a_question_loses_its_small_words() -> None:
    assert asked("How does the GPU get billed?") == ["gpu", "get", "bil"]
    assert asked("夜鹰是什么？") == ["夜鹰"]


@pytest.mark.parametrize("question", ["what is this", "什么", "目的", "的"])
def test_a_question_of_small_words_only_keeps_them(question: str) -> None:
    assert asked(question)


def test_a_lone_chinese_character_is_searched_as_a_prefix() -> None:
    assert is_prefix("鹰")
    assert not is_prefix("a")
    assert match_expression(asked("鹰")) == '"鹰"*'


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_is_syntax_and_every_text_finds_itself(text: str, other: str) -> None:
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE VIRTUAL TABLE search USING fts5(terms, tokenize='unicode61 remove_diacritics 0')"
    )
    for row in (text, other):
        database.execute("INSERT INTO search (terms) VALUES (?)", (" ".join(terms(row)),))
    wanted = asked(text)
    if wanted:
        query = "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid"
        found = [row[0] for row in database.execute(query, (match_expression(wanted),))]
        assert found[:1] == [1]
    else:
        assert not any(character.isalnum() for character in text)
    database.close()
