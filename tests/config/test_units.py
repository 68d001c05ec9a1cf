from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from poorwill.config.units import (
    HostPort,
    format_duration,
    parse_duration,
    parse_listen_address,
)
from poorwill.core.duration import duration_text

millis = st.integers(0, 3650 * 86_400_000).map(lambda count: count / 1000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2h", 7200),
        ("500ms", 0.5),
        ("1d", 86_400),
        ("1.5h", 5400),
        ("1m500ms", 60.5),
        ("1d2h3m4s5ms", 93_784.005),
        ("0s", 0),
        (" 3s ", 3),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", [90, 0.5, "90", "1.5", "-3"])
def test_a_bare_number_asks_for_a_unit(value: object) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse_duration(value)
    assert caught.value.context == {"what": "a duration with its unit", "hint": "write 90s or 10m"}


@pytest.mark.parametrize(
    "value",
    ["soon", "", " ", "10 minutes", "10M", "5m1h", "1h1h", "-1s", "1,5h", "٣s", "3651d", "9" * 400 + "d"],
)
def test_not_durations(value: str) -> None:
    with pytest.raises(PydanticCustomError, match="expected a duration"):
        parse_duration(value)


@pytest.mark.parametrize("value", [None, True, [], {}, b"1s"])
def test_not_even_text(value: object) -> None:
    with pytest.raises(PydanticCustomError, match="expected a duration such as"):
        parse_duration(value)


@given(millis)
def test_text_of_a_duration_reads_back_exactly(seconds: float) -> None:
    assert parse_duration(duration_text(seconds)) == seconds


@given(millis)
def test_people_read_at_most_two_units_and_are_not_misled(seconds: float) -> None:
    words = format_duration(seconds)
    assert 1 <= len(words.split()) <= 2
    off = abs(parse_duration(words) - seconds)
    assert off <= max(0.05, 0.02 * seconds) + 1e-9, words


@given(st.text(alphabet="0123456789.dhms ", max_size=12))
def test_any_text_is_a_duration_or_a_complaint(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except PydanticCustomError:
        return
    assert seconds >= 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0001, "0s"),
        (0.25, "250ms"),
        (22.94, "22.9s"),
        (60, "1m"),
        (90, "90s"),
        (119.96, "2m"),
        (150, "2m 30s"),
        (600, "10m"),
        (3_599.7, "1h"),
        (5_400, "1h 30m"),
        (7_199, "2h"),
        (86_399, "1d"),
        (187_200, "2d 4h"),
        (-90, "-90s"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "place", "written"),
    [
        ("127.0.0.1:8080", HostPort("127.0.0.1", 8080), "127.0.0.1:8080"),
        ("[::1]:8080", HostPort("::1", 8080), "[::1]:8080"),
        ("[0:0:0:0:0:0:0:1]:80", HostPort("::1", 80), "[::1]:80"),
        ("LOCALHOST:9100", HostPort("localhost", 9100), "localhost:9100"),
        ("0.0.0.0:1", HostPort("0.0.0.0", 1), "0.0.0.0:1"),
        ("1.2.3.4:65535", HostPort("1.2.3.4", 65535), "1.2.3.4:65535"),
    ],
)
def test_addresses_to_listen_on(text: str, place: HostPort, written: str) -> None:
    assert parse_listen_address(text) == place
    assert str(place) == written


@pytest.mark.parametrize(
    ("value", "what", "hint"),
    [
        ("127.0.0.1:0", "a port from 1 to 65535", ""),
        ("127.0.0.1:65536", "a port from 1 to 65535", ""),
        ("example.com:80", "an IP address or localhost to listen on", "write 127.0.0.1 for this"),
        (8080, "an address to listen on", "write the host too: 127.0.0.1:8080"),
        ("8080", "an address to listen on", "write the host too: 127.0.0.1:8080"),
        (":8080", "an address to listen on", "write the host too: 127.0.0.1:8080"),
        ("localhost", "an address to listen on", "add the port: localhost:8080"),
        ("::1", "an address to listen on", "add the port: [::1]:8080"),
        ("::1:8080", "an address to listen on", "put an IPv6 address in brackets"),
        ("fe80::abcd", "an address to listen on", "add the port: [fe80::abcd]:8080"),
        ("1.2.3.256:80", "an address to listen on", "an IP address has four numbers"),
        ("*:80", "an address to listen on", ""),
        ("[localhost]:80", "an address to listen on", ""),
        ("a b:80", "an address to listen on", ""),
        ("127.0.0.1:٨٠", "an address to listen on", ""),
        ("", "an address to listen on", ""),
        (None, "an address to listen on", ""),
        (True, "an address to listen on", ""),
    ],
)
def test_not_addresses_to_listen_on(value: object, what: str, hint: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse_listen_address(value)
    context = caught.value.context or {}
    assert context["what"].startswith(what)
    assert context["hint"].startswith(hint)
    assert bool(hint) == bool(context["hint"])


def test_what_an_address_covers() -> None:
    assert HostPort("0.0.0.0", 1).is_wildcard
    assert HostPort("::", 1).is_wildcard
    assert not HostPort("127.0.0.1", 1).is_wildcard
    assert HostPort("127.0.0.2", 1).is_loopback
    assert HostPort("localhost", 1).is_loopback
    assert not HostPort("10.0.0.1", 1).is_loopback
    assert not HostPort("example.com", 1).is_loopback
