from __future__ import annotations

from tests.config.reading import STARTER, SettingsOf


def test_the_starter_loads_as_it_is(settings_of: SettingsOf) -> None:
    settings = settings_of(STARTER)
    (service,) = settings.services.values()
    assert service.run.provider == "process"
    assert service.run.gives_address
    assert service.idle_after == 600


def test_the_starter_is_short_and_has_no_long_lines() -> None:
    lines = STARTER.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
