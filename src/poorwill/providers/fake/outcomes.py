"""What the fake place says when a call does not go well."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from poorwill.errors import NoCapacity, Permanent, ProviderError, Temporary

ASK_AGAIN = 30.0
"""Seconds after which a place without capacity wants to be asked again."""

_ON_PURPOSE = "the fake place does this on purpose"


def dark() -> ProviderError:
    return Temporary(
        "the fake place does not answer (it is dark)",
        hint=f"{_ON_PURPOSE}: see dark, dark_every and the weather file",
    )


def busy(instance: str) -> ProviderError:
    return Temporary(f"{instance} is still being stopped", hint="it can be started once it is gone")


async def end_badly(call: str, outcome: str) -> NoReturn:
    """Raises what this outcome of a start or a stop raises; ``hang`` never returns."""
    hint = f"{_ON_PURPOSE}: see {call}s below run: fake:"
    match outcome:
        case "hang":
            await asyncio.Event().wait()
        case "refused":
            raise Permanent(f"the fake place refuses the {call}: there is no such machine type", hint=hint)
        case "no_capacity":
            raise NoCapacity("the fake place has no GPU in stock", hint=hint, delay=ASK_AGAIN)
        case "lost":
            raise Temporary(f"the connection broke; what became of the {call} is not known", hint=hint)
    raise Temporary(f"the fake place failed to {call} it: 500 Internal Server Error", hint=hint)
