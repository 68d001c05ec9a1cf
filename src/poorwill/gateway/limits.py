"""What visitors get when requests have woken a service as often as they may."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil

from markupsafe import escape

from poorwill.gateway.doors import Door
from poorwill.gateway.sheets import about, clean, render, spaced
from poorwill.gateway.words import time_text, words


@dataclass(frozen=True, slots=True)
class Limit:
    """``own`` says that it is this client who woke it too often; ``seconds`` is how long that lasts."""

    own: bool
    seconds: int

    @property
    def status(self) -> int:
        return 429 if self.own else 503


def limit(door: Door, client: str, wall: float) -> Limit | None:
    """What keeps this client from waking the service now, if anything does."""
    if door.allowance is None:
        return None
    everybody = door.allowance.total_until(wall)
    own = door.allowance.client_until(client, wall)
    if everybody is None and own is None:
        return None
    until = max(at for at in (everybody, own) if at is not None)
    return Limit(own is not None and own == until, max(1, ceil(until - wall)))


def limit_page(service: str, language: str, reached: Limit) -> str:
    say = words(language)
    key = "own" if reached.own else "text"
    return render(
        "notice",
        language,
        say,
        title=about(say, "limit.title", service),
        text=escape(say[f"limit.{key}"]).format(time=time_text(say, reached.seconds, up=True)),
        button=say["again"],
        footer=True,
    )


def limit_error(service: str, language: str, reached: Limit) -> str:
    say = words(language)
    name = clean(say, service)
    text = spaced(say["api.limit_own" if reached.own else "api.limit"], name)
    error = {
        "message": text.format(service=name, time=time_text(say, reached.seconds, up=True)),
        "type": "rate_limit_error" if reached.own else "service_unavailable",
        "code": "too_many_wakes",
        "service": name,
        "retry_after": reached.seconds,
    }
    return json.dumps({"error": error}, ensure_ascii=False) + "\n"
