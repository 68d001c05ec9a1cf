"""A service whose instances live at the fake cloud, described by what ships for the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.providers.conformance import NAMES
from tests.providers.http.cloud import TOKEN, FakeCloud

from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.http import HttpProvider, Options
from poorwill.providers.http.library import cloud

CANNOT = {
    "log": "what an instance prints stays at the cloud",
    "exit_code": "a cloud does not tell how what ran on it ended",
}

HURRY = {"settle": 0.2, "poll": 0.0, "hurry": 0.05, "timeout": 5.0}
"""What is shorter than in the description that ships, so that tests need not wait."""


class HttpPlace:
    """A service ``s``, in ``folder``, with the instances of the fake cloud as its own."""

    instances = NAMES
    abilities = frozenset(
        {
            "several",
            "slow",
            "refuse_start",
            "refuse_stop",
            "hang_stop",
            "start_outside",
            "stop_outside",
            "dark",
        }
    )

    def __init__(self, folder: Path, fake: FakeCloud, dialect: str) -> None:
        self.folder = folder
        self.fake = fake
        self.dialect = dialect
        self.changes = 0
        self.notes: list[str] = []
        self.providers: list[HttpProvider] = []

    def provider(self, hurry: dict[str, Any] | None = None, **options: object) -> HttpProvider:
        about = cloud(self.dialect).model_copy(update={**HURRY, **(hurry or {})})
        given = {"instance": "{instance}", "token": TOKEN, "url": self.fake.url, "description": about}
        provider = HttpProvider(Options.model_validate({**given, **options}), self.around())
        self.providers.append(provider)
        return provider

    def around(self) -> Surroundings:
        return Surroundings(
            "g", "s", self.folder / "state", self.folder, self._changed, note=self.notes.append
        )

    def _changed(self) -> None:
        self.changes += 1

    async def crash(self, sighting: Sighting) -> None:
        self.fake.becomes(self.fake.machines[sighting.instance], "off")

    async def slow_start(self, seconds: float) -> None:
        self.fake.weather.start_takes = seconds

    async def refuse_start(self) -> None:
        self.fake.weather.refuses_start = True

    async def refuse_stop(self) -> None:
        self.fake.weather.ignores_stop = True

    async def hang_stop(self) -> None:
        self.fake.weather.hangs_stop = True

    async def start_outside(self, instance: str) -> None:
        self.fake.power_on(self.fake.machines[instance])

    async def stop_outside(self, sighting: Sighting) -> None:
        self.fake.power_off(self.fake.machines[sighting.instance])

    async def go_dark(self) -> None:
        self.fake.weather.dark = True

    async def mend(self) -> None:
        self.fake.mend()

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()
