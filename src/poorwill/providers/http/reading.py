"""From a cloud's answer to what is known about an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from poorwill.config.jsonpath import Json
from poorwill.config.template import Words
from poorwill.core.model import Condition
from poorwill.errors import Temporary
from poorwill.providers.http.calls import Reading
from poorwill.providers.http.client import Client
from poorwill.providers.http.description import Description

_SHAPE = "the API may have changed; `poorwill clouds try` shows what is understood"


@dataclass(frozen=True, slots=True)
class Seen:
    """One instance at the cloud. ``state`` is the cloud's own word, ``says`` what people are told."""

    condition: Condition
    state: str
    says: str = ""
    life: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def on(self) -> bool:
        return self.condition in (Condition.STARTING, Condition.RUNNING)


class Reader:
    """Makes the reading calls of a description."""

    def __init__(self, about: Description, client: Client, words: Words) -> None:
        self._about = about
        self._client = client
        self._words = words

    async def one(self, which: str) -> Seen:
        """Raises ``answers.Missing`` when the cloud knows no such instance."""
        body = await self._client.call(self._about.status, f"tell how {which} is", instance=which)
        return await self.with_details(which, self._read(self._about.status, body, which))

    async def every(self) -> dict[str, Seen]:
        """Every instance of the account, by id, without details."""
        listing = self._about.listing
        if listing is None:
            return {}
        body = await self._client.call(listing, "list the instances", instance="")
        items = listing.items.of(body, self._words)
        if not isinstance(items, list):
            raise Temporary(
                f"{self._about.name} answered without a list of instances at {listing.items.text}",
                hint=_SHAPE,
            )
        found = {}
        for item in items:
            which = listing.id.of(item, self._words)
            if which is not None:
                found[str(which)] = self._read(listing, item, str(which))
        return found

    async def with_details(self, which: str, seen: Seen) -> Seen:
        """What the second call tells besides, for an instance that runs."""
        details = self._about.details
        if details is None or seen.condition is not Condition.RUNNING:
            return seen
        body = await self._client.call(details, f"tell the details of {which}", instance=which)
        more = self._values(details, body, which)
        words = {**self._words, "instance": which}
        life = _life(details, details.record.of(body, words), words)
        return Seen(seen.condition, seen.state, seen.says, life or seen.life, {**seen.values, **more})

    def _read(self, call: Reading, body: Json, which: str) -> Seen:
        words = {**self._words, "instance": which}
        record = call.record.of(body, words)
        if record is None:
            raise Temporary(
                f"{self._about.name} answered without the instance at {call.record.text}", hint=_SHAPE
            )
        condition, state, says = (call.state or self._about.state).read(record, words)
        return Seen(condition, state, says, _life(call, record, words), self._values(call, body, which))

    def _values(self, call: Reading, body: Json, which: str) -> dict[str, str]:
        words = {**self._words, "instance": which}
        record = call.record.of(body, words)
        found = {name: value.of(record, words) for name, value in call.values.items()}
        return {name: value for name, value in found.items() if value is not None}


def _life(call: Reading, record: Json, words: Words) -> str:
    found = call.life.of(record, words) if call.life else None
    return "" if found is None else str(found)
