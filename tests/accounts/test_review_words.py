"""What a review says, in each language: nothing is missing, and what is said is not said by accident."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from string import Formatter

import pytest
from tests.advisor.test_suggest import case, month
from tests.core.timetables import table, wall

from poorwill.accounts.shown_suggestion import advised
from poorwill.accounts.words import (
    LANGUAGES,
    duration,
    hours,
    memory,
    quantity,
    stamp,
    system_language,
    words,
)
from poorwill.advisor.suggest import suggestions
from poorwill.advisor.suggest_gpu import Card
from poorwill.advisor.suggest_idle import suggest_idle
from poorwill.advisor.suggest_rest import suggest_budget
from poorwill.advisor.suggestion import Suggestion, Sure
from poorwill.errors import BadInput


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    ours, english = words(language), words("en")
    assert ours.keys() == english.keys()
    for key, text in ours.items():
        assert text.strip(), key
        assert names(text) <= names(english[key]), key


def test_there_is_no_such_language() -> None:
    with pytest.raises(BadInput, match="no review in 'fr'") as caught:
        words("fr")
    assert caught.value.hint == "one of en, zh"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (42.4, "42 s", "42 秒"),
        (130, "2 min 10 s", "2 分 10 秒"),
        (720, "12 min", "12 分钟"),
        (3900, "1 h 5 min", "1 小时 5 分"),
        (39_600, "11 h", "11 小时"),
    ],
)
def test_durations(seconds: float, english: str, chinese: str) -> None:
    assert duration(words("en"), seconds) == english
    assert duration(words("zh"), seconds) == chinese


def test_numbers_and_moments() -> None:
    say = words("en")
    assert hours(say, 92.44) == "92.4 h"
    assert hours(say, Decimal(100)) == "100 h"
    assert (hours(say, 0), hours(say, 0.1), hours(say, 0.05)) == ("0 h", "0.1 h", "3 min")
    assert quantity(say, Decimal("0.004"), "CNY") == "<0.01 CNY"
    assert quantity(say, Decimal("0.4"), "JPY") == "<1 JPY"
    assert quantity(say, Decimal(0), "CNY") == "0.00 CNY"
    assert memory(9.25 * 1024**3) == "9.2 GB"
    assert memory(24 * 1024**3) == "24 GB"
    at = wall("2026-10-06 14:05", "Asia/Shanghai")
    assert stamp(say, at, "Asia/Shanghai") == "Tue 6 Oct 14:05"
    assert stamp(words("zh"), at, "Asia/Shanghai") == "10 月 6 日（周二）14:05"


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "zh"}, "zh"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "en"),
    ],
)
def test_the_language_of_the_system(env: dict[str, str], language: str) -> None:
    assert system_language(env) == language


@pytest.mark.parametrize(
    ("hours_saved", "amount", "english", "chinese"),
    [
        (10.5, "40.95", "saves about 10.5 h and 40.95 CNY a month", "每月约省 10.5 小时、40.95 CNY"),
        (10.5, None, "saves about 10.5 h a month", "每月约省 10.5 小时"),
        (-3.0, "-11.7", "costs about 3 h and 11.70 CNY a month", "每月约多用 3 小时、11.70 CNY"),
        (0.0, "30", "saves about 30.00 CNY a month", "每月约省 30.00 CNY"),
        (0.0, None, "saves nothing by itself", "本身不省钱"),
    ],
)
def test_what_a_suggestion_gains(hours_saved: float, amount: str | None, english: str, chinese: str) -> None:
    money = None if amount is None else Decimal(amount)
    values = {"idle": 420.0, "was": 600.0, "waits": 5.2, "waits_was": 4.0, "wake": 42.0}
    one = Suggestion("idle_shorter", "kb", hours_saved, money, "CNY", Sure.HIGH, values)
    assert advised(one, words("en")).gain == english
    assert advised(one, words("zh")).gain == chinese
    assert advised(one, words("en")).text.startswith("kb: `idle_after: 7m` instead of 10m. 5 starts a month")


def everything_suggested() -> list[Suggestion]:
    """At least one of each kind, from months that were made for them."""
    half_hours = [9 + half / 2 for half in range(14)]
    hours = "Mon-Fri 08:00-20:00"
    measured = (replace(one, gpu_memory=9 * 1024**3) for one in month(9, 15))
    card = Card("L4", 24 * 1024**3, Decimal("2.60"), "CNY")
    known = [
        case(measured, hours=58.8, idle_after=3600.0),
        replace(case(month(*[9 + turn * 14 / 60 for turn in range(13)], length=60.0)), wakes=(90.0,)),
        replace(case(month(*half_hours, length=600.0, week=5), hours=20 * 12, timetable=table(hours))),
        case(month(13, week=5), hours=20 * 12, timetable=table(hours)),
        replace(case(month(*half_hours[:6], week=5), hours=26, idle_after=540.0), wakes=(120.0,)),
        case(iter(()), hours=56.0),
    ]
    found = [one for each in known for one in suggestions(each, [card])]
    found += [one for each in known[:2] if (one := suggest_idle(each))]
    for used, before in ((108, 100), (20, 30)):
        budget = suggest_budget("", Decimal(used), Decimal(100), "", Decimal(before))
        found += [budget] if budget else []
    return found


def test_every_suggestion_has_its_sentence() -> None:
    found = everything_suggested()
    kinds = {key.removeprefix("suggest.") for key in words("en") if key.startswith("suggest.")}
    assert {one.kind for one in found} == kinds
    for one in found:
        for language in LANGUAGES:
            text = advised(one, words(language)).text
            assert text.startswith(one.service or words(language)["all"])
            assert "{" not in text
