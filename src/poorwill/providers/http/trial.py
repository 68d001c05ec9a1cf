"""Trying a description against the real cloud with the calls that only read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from poorwill.config.template import Words
from poorwill.errors import ProviderError
from poorwill.providers.http.client import Client
from poorwill.providers.http.description import Description
from poorwill.providers.http.reading import Reader, Seen


@dataclass(frozen=True, slots=True)
class Found:
    """What one call brought. ``error`` is None when the answer was understood."""

    call: str
    instances: dict[str, Seen] = field(default_factory=dict)
    error: ProviderError | None = None


async def try_out(
    about: Description, words: Words, secrets: tuple[str, ...], instance: str = "", url: str = ""
) -> AsyncIterator[Found]:
    """List the instances, where that can be done, and read one. Starts and stops nothing."""
    client = Client(about, words, secrets, url)
    reader = Reader(about, client, words)
    try:
        if about.listing is not None:
            yield await _listed(reader)
        if instance:
            yield await _read(reader, instance)
    finally:
        await client.close()


async def _listed(reader: Reader) -> Found:
    try:
        return Found("list", await reader.every())
    except ProviderError as error:
        return Found("list", error=error)


async def _read(reader: Reader, instance: str) -> Found:
    try:
        return Found("status", {instance: await reader.one(instance)})
    except ProviderError as error:
        return Found("status", error=error)
