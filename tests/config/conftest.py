"""Loading a text as poorwill.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.config.reading import PROVIDERS, ProblemsOf, SettingsOf

from poorwill.config import Settings, load
from poorwill.errors import ConfigError, Problem


@pytest.fixture
def settings_of(tmp_path: Path) -> SettingsOf:
    def read(text: str, env: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "poorwill.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, PROVIDERS, env or {})

    return read


@pytest.fixture
def problems_of(settings_of: SettingsOf) -> ProblemsOf:
    def read(text: str, env: Mapping[str, str] | None = None) -> list[Problem]:
        with pytest.raises(ConfigError) as caught:
            settings_of(text, env)
        return list(caught.value.problems)

    return read
