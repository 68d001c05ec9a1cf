"""Who never wakes a service, and how often requests may, as people write it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from poorwill.app.sites import bystanders
from poorwill.config.bystanders import BystanderConfig, parse_rate, rate_text
from poorwill.core.allowance import Rate
from poorwill.gateway.bystanders import Answer, Bystanders, Kind


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/h", Rate(10, 3600)),
        ("3/30m", Rate(3, 1800)),
        ("1 / d", Rate(1, 86_400)),
        ("5/1h30m", Rate(5, 5400)),
        ("1000/31d", Rate(1000, 31 * 86_400)),
    ],
)
def test_rates(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate
    assert parse_rate(rate_text(rate)) == rate


@pytest.mark.parametrize(
    "text", ["", "10", 10, True, "0/h", "1001/h", "10/", "/h", "10/x", "10/32d", "-1/h", "1/1ms"]
)
def test_no_rates(text: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_rate(text)


def test_without_a_word_it_is_what_the_gateway_does_anyway() -> None:
    plain = bystanders(BystanderConfig())
    assert plain.answers == Bystanders().answers
    assert not any(plain.also.values())


def test_what_is_said_arrives() -> None:
    said = BystanderConfig.model_validate(
        {
            "monitors": "unavailable",
            "crawlers": "wake",
            "also": {"monitors": [" OurMonitor/ "], "nuisance": ["/old/**"]},
            "welcome": ["Googlebot", "/xmlrpc.php"],
        }
    )
    known = bystanders(said)
    assert known.answers[Kind.MONITOR] is Answer.UNAVAILABLE
    assert known.answers[Kind.CRAWLER] is Answer.WAKE
    assert known.also[Kind.MONITOR] == ("OurMonitor/",)
    assert known.also[Kind.NUISANCE] == ("/old/**",)
    below = known.below("/shop")
    assert below.welcome == ("Googlebot", "/shop/xmlrpc.php")
    assert below.also[Kind.NUISANCE] == ("/shop/old/**",)


@pytest.mark.parametrize(
    "said",
    [
        {"crawlers": "asleep"},
        {"monitors": "maybe"},
        {"also": {"monitors": ["x"]}},
        {"also": {"nuisance": ["old"]}},
        {"also": {"previews": ["abc"]}},
        {"welcome": [""]},
        {"robots": "wake"},
    ],
)
def test_what_nobody_can_mean_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BystanderConfig.model_validate(said)
