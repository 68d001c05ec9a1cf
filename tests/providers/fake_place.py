"""The fake place for the conformance suite: it can do everything, by its weather file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.providers.conformance import ABILITIES
from tests.providers.process_place import ProcessPlace

from poorwill.providers.fake import FakeProvider, Options


class FakePlace(ProcessPlace):
    """Its instances are processes, so that the certainty that none is left behind is the same."""

    abilities = frozenset(ABILITIES)

    def __init__(self, folder: Path, **options: object) -> None:
        super().__init__(folder)
        self.options = {"weather": "weather.json", **options}

    def provider(self, **options: object) -> FakeProvider:  # type: ignore[override]  # another provider
        provider = FakeProvider(Options.model_validate({**self.options, **options}), self.around())
        self.providers.append(provider)  # type: ignore[arg-type]  # it can be closed, too
        return provider

    def weather(self, **keys: object) -> None:
        (self.folder / "weather.json").write_text(json.dumps(keys))

    async def slow_start(self, seconds: float) -> None:
        self.weather(start_takes=f"{seconds:g}s")

    async def ends_with(self, code: int) -> None:
        self.weather(ends_after="1ms", exit_code=code)

    async def refuse_start(self) -> None:
        self.weather(starts=["no_capacity"])

    async def refuse_stop(self) -> None:
        self.weather(stops=["error"])

    async def hang_stop(self) -> None:
        self.weather(stops=["hang"])

    async def start_outside(self, instance: str) -> None:
        somebody = self.provider()
        await somebody.start(instance, await somebody.prepare(instance))

    async def go_dark(self) -> None:
        self.weather(dark=True)

    async def mend(self) -> None:
        (self.folder / "weather.json").unlink(missing_ok=True)
