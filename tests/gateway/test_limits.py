"""What is told when a limit is reached, and what is remembered of clients."""

from __future__ import annotations

import json

import pytest

from poorwill.core.allowance import Allowance, Rate, Woken
from poorwill.gateway.clients import client
from poorwill.gateway.doors import Door
from poorwill.gateway.limits import Limit, limit, limit_error, limit_page

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", Limit(own=True, seconds=3560)),
        ("b", Limit(own=False, seconds=20)),
        ("c", Limit(own=False, seconds=20)),
    ],
)
def test_the_longer_limit_is_told(name: str, expected: Limit) -> None:
    door = Door("it", 5.0, lambda _: None)
    woken = (Woken(960.0, "a"), Woken(990.0, "b"))
    door.allowance = Allowance(Rate(2, 60), Rate(1, 3600), (woken[0],))
    assert limit(door, "b", 1000.0) is None
    door.allowance = Allowance(Rate(2, 60), Rate(1, 3600) if name == "a" else None, woken)
    assert limit(door, name, 1000.0) == expected
    door.allowance = None
    assert limit(door, name, 1000.0) is None, "it is awake, or wakes already"


def test_the_texts() -> None:
    mine, all_of_us = Limit(own=True, seconds=1234), Limit(own=False, seconds=90)
    assert (mine.status, all_of_us.status) == (429, 503)
    assert "You have woken it" in limit_page("kb", "en", mine)
    assert "again in 90 s" in limit_page("kb", "en", all_of_us)
    assert "唤醒次数已达上限" in limit_page("kb", "zh", all_of_us)
    error = json.loads(limit_error("kb", "en", mine))["error"]
    assert (error["code"], error["type"], error["retry_after"]) == (
        "too_many_wakes",
        "rate_limit_error",
        1234,
    )
    assert "kb" in error["message"]
    assert "<script" not in limit_page("<script>", "en", mine)


def test_a_client_is_told_from_others_and_leads_back_to_nobody() -> None:
    here = client(KEY, "192.0.2.7", "curl/8.10.1 (x86_64)")
    assert here.program == "curl/8.10.1"
    assert here.name == client(KEY, "::ffff:192.0.2.7", "").name
    assert here.name not in (client(KEY, "192.0.2.8", "").name, client("another", "192.0.2.7", "").name)
    assert len(here.name) == 12
    assert client(KEY, "", "").name == "" == client(KEY, "@/socket", "").name


def test_one_house_is_one_client() -> None:
    assert client(KEY, "2001:db8::1", "").name == client(KEY, "2001:db8::ffff:2", "").name
    assert client(KEY, "2001:db8::1", "").name != client(KEY, "2001:db8:0:1::1", "").name


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        ("Mozilla/5.0 (X11)", "a browser"),
        ("", "a program without a name"),
        ("\x1b[31mred/1", "[31mred/1"),
        ("x" * 100, "x" * 40),
        ("é" * 3, "a program without a name"),
    ],
)
def test_programs(agent: str, program: str) -> None:
    assert client(KEY, "192.0.2.7", agent).program == program
