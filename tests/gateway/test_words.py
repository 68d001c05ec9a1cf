"""Languages: chosen by what the browser asks for, added by dropping a file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.errors import GatewayError
from poorwill.gateway.words import LANGUAGES, choose_language, read_languages, time_text, words


class TestChooseLanguage:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            (None, "en"),
            ("", "en"),
            ("zh", "zh"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("zh-TW", "zh"),
            ("zh-Hans-CN", "zh"),
            ("ZH-hant", "zh"),
            ("en-GB,en;q=0.9,zh;q=0.8", "en"),
            ("en;q=0.5, zh;q=0.51", "zh"),
            ("fr, de;q=0.9, zh;q=0.1", "zh"),
            ("fr", "en"),
            ("*", "en"),
            ("*;q=0.1, zh", "zh"),
            ("zh;q=0", "en"),
            ("zh ; q=1.000 , en", "zh"),
            ("en;q=2, zh;q=0.1", "zh"),
            ("en;q=, zh;q=0.1", "zh"),
            ("en;q=-1, zh;q=nan, *", "en"),
            ("zhx", "en"),
            ("z-h", "en"),
            (";;;,,,=q", "en"),
            ("../../etc/passwd", "en"),
        ],
    )
    def test_known_answers(self, header: str | None, expected: str) -> None:
        assert choose_language(header) == expected

    @given(st.text() | st.text(alphabet="zhen-*;q=,.01 "))
    def test_never_raises(self, header: str) -> None:
        assert choose_language(header) in LANGUAGES

    def test_a_huge_header_is_cheap(self) -> None:
        assert choose_language("zh," + "x;q=1," * 20_000) == "zh"


class TestLanguages:
    def test_chinese_is_complete(self, tmp_path: Path) -> None:
        same = {key for key, text in LANGUAGES["zh"].items() if text == LANGUAGES["en"][key]}
        assert same == {"direction"}

    def test_one_more_file_is_one_more_language(self, tmp_path: Path) -> None:
        (tmp_path / "de.toml").write_text('again = "Nochmal"\n[waking]\ntitle = "{service} wacht auf"\n')
        german = read_languages(tmp_path)["de"]
        assert german["waking.title"] == "{service} wacht auf"
        assert german["waking.lead"] == LANGUAGES["en"]["waking.lead"]

    @pytest.mark.parametrize(
        "text", ['agian = "x"', 'again = "{host}"', 'again = "{"', "again = ", "[waking]\ntitle = 'x {0.y}'"]
    )
    def test_a_wrong_file_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "xx.toml").write_text(text)
        with pytest.raises(GatewayError, match=r"xx\.toml"):
            read_languages(tmp_path)


@pytest.mark.parametrize(
    ("value", "up", "expected"),
    [
        (0, False, "0 s"),
        (0.2, True, "1 s"),
        (99.4, False, "99 s"),
        (120, False, "2 min"),
        (130, False, "2 min 10 s"),
        (629, False, "10 min"),
        (601, True, "11 min"),
        (3599, False, "1 h 0 min"),
        (-4, False, "0 s"),
        (math.nan, False, "0 s"),
    ],
)
def test_times_in_words(value: float, up: bool, expected: str) -> None:
    assert time_text(words("en"), value, up=up) == expected
