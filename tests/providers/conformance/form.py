"""What a provider looks like from outside: its options, its numbers, what it hands out."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import pytest
from pydantic import BaseModel, ValidationError
from tests.providers.conformance.place import Place
from tests.providers.conformance.waiting import begin, through_json

from poorwill.providers import registry


class Form:
    def test_the_registry_takes_it(self, place: Place) -> None:
        kind = type(place.provider())
        point = EntryPoint("mine", f"{kind.__module__}:{kind.__qualname__}", registry.GROUP)
        found = registry.load([point])
        assert found.broken == {}
        assert found.providers["mine"] is kind

    def test_says_what_it_accepts(self, place: Place) -> None:
        model = place.provider().Options
        assert issubclass(model, BaseModel)
        assert json.dumps(model.model_json_schema())
        with pytest.raises(ValidationError, match="no_such_key"):
            model.model_validate({"no_such_key": 1})

    def test_every_section_of_its_options_is_closed_and_explained(self, place: Place) -> None:
        model = place.provider().Options
        assert model.model_config.get("frozen")
        schema = model.model_json_schema()
        for name, section in {"Options": schema, **schema.get("$defs", {})}.items():
            if "properties" not in section:
                continue
            assert section.get("additionalProperties") is False, f"{name} takes unknown keys"
            for key, rule in section["properties"].items():
                assert rule.get("description"), f"{name}.{key} has no description"

    def test_says_how_long_things_take(self, place: Place) -> None:
        provider = place.provider()
        assert provider.settle >= 0
        assert provider.stale_after > 0

    async def test_what_is_prepared_and_handled_survives_json(self, place: Place) -> None:
        provider = place.provider()
        prepared = json.loads(json.dumps(dict(await provider.prepare("a"))))
        handle = await provider.start("a", prepared)
        assert handle.instance == "a"
        assert through_json(handle) == handle

    async def test_what_runs_is_described(self, place: Place) -> None:
        seen = await begin(place.provider(), "a")
        assert seen.life
        assert seen.exit_code is None
        assert len(seen.detail.splitlines()) <= 1
        assert all(isinstance(word, str) for pair in seen.values.items() for word in pair)
        assert through_json(seen.handle).instance == "a"
        if seen.address is not None:
            host, _, port = seen.address.rpartition(":")
            assert host
            assert 0 < int(port) < 65536
