"""Passages keep all of the text, stay below their size and never cross a heading."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from poorwill.demo.passages import AIM, Passage, sentences, split


def test_a_heading_stays_with_its_text() -> None:
    text = "# Bird\n\nIt sleeps.\n\nIt wakes.\n\n## Winter\nIt is cold.\n"
    assert list(split(text)) == [Passage("Bird", "It sleeps.\nIt wakes."), Passage("Winter", "It is cold.")]


def test_a_heading_without_text_is_a_passage() -> None:
    assert list(split("# Bird\n## Winter\n")) == [Passage("", "Bird\nWinter")]


def test_hash_signs_that_are_no_headings_are_text() -> None:
    assert list(split("#1 in the list\n#tag")) == [Passage("", "#1 in the list #tag")]


def test_wrapped_lines_are_one_sentence_and_list_items_are_their_own() -> None:
    (passage,) = split("A bird that\nsleeps:\n- in winter\n- by day\n夜里\n捕食。")
    assert passage.text == "A bird that sleeps:\n- in winter\n- by day 夜里捕食。"


def test_sentences_end_where_a_reader_sees_it() -> None:
    assert sentences('He said "go." Then e.g. this. 5 °C! Why?') == [
        'He said "go."',
        "Then e.g. this.",
        "5 °C!",
        "Why?",
    ]
    assert sentences("他说：“走吧。”然后走了！真的？是……好") == [
        "他说：“走吧。”",
        "然后走了！",
        "真的？",
        "是……",
        "好",
    ]


@given(st.text(st.sampled_from('ab .。\n#-睡眠!”"\t\r'), max_size=3000))
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    passages = list(split(text))
    assert all(0 < len(passage.text) <= AIM for passage in passages)
    kept = "".join(passage.heading + passage.text for passage in passages)
    for letter in "ab。睡眠!":
        assert (letter in kept) == (letter in text)
    lines = [line for line in text.splitlines() if not re.match(r"\s*#{1,6}\s", line)]
    for letter in "睡眠ab":
        assert sum(passage.text.count(letter) for passage in passages) >= sum(
            line.count(letter) for line in lines
        )
    for passage in passages:
        assert all(sentence in passage.text for sentence in sentences(passage.text))


def test_hostile_lines_take_no_time() -> None:
    began = time.process_time()
    for hostile in ("# a" + " " * 300_000 + "b", "." + "\"'" * 150_000 + "a", "#" * 300_000, ". " * 150_000):
        list(split(hostile))
    assert time.process_time() - began < 5
