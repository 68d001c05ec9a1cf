from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from poorwill.config.zone import parse_zone, system_timezone


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "Europe/Berlin"])
def test_known_zones(name: str) -> None:
    assert parse_zone(name) == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Asia/Shangai", "did you mean Asia/Shanghai?"),
        ("asia/shanghai", "did you mean Asia/Shanghai?"),
        ("UTC+8", "name a place instead of hours: Asia/Shanghai is UTC+8"),
        ("Shanghai", "did you mean Asia/Shanghai?"),
        ("new york", "did you mean America/New_York?"),
        ("Qqqq", "the names are those of the IANA list"),
        ("Asia", "the names are those of the IANA list"),
        ("../../etc/passwd", "the names are those of the IANA list"),
        ("", "the names are those of the IANA list"),
    ],
)
def test_unknown_zones(name: str, hint: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse_zone(name)
    assert (caught.value.context or {})["hint"] == hint


def test_the_system_zone_is_one_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert system_timezone() == "Asia/Shanghai"
    monkeypatch.setenv("TZ", "nonsense")
    assert parse_zone(system_timezone()) == system_timezone()
