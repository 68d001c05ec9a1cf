"""Writes the ``poorwill.yaml`` with which ``poorwill demo`` puts the example behind the gateway."""

from __future__ import annotations

import json
import sys
from pathlib import Path

SERVICE = "notes"


def demo_config(
    state: Path,
    listen: str,
    *,
    admin: str = "127.0.0.1:8081",
    data: Path | None = None,
    startup_s: float = 2.0,
    idle_after: str = "20s",
) -> str:
    """The text of the file. The documents go to ``data``, by default ``notes`` beside the state folder."""
    state = state.absolute()
    data = data.absolute() if data else state.with_name("notes")
    command = [sys.executable, "-m", "poorwill.demo.service", "--port", "{port}", "--data", str(data)]
    command += ["--startup", f"{startup_s:g}", "--seed"]
    return f"""\
# The configuration of `poorwill demo`: one service, started at the first request, asleep when nobody asks.
listen: {_text(listen)}          # visitors come in here
admin: {_text(admin)}           # admin API
state: {_text(str(state))}

services:
  {SERVICE}:                              # the only service and no hosts: every request goes to it
    run:
      process:
        command: {_text(command)}
    ready: {{path: /healthz}}             # 200 only when it can really answer
    price: {{gpu: A10G, per_hour: 1.006 USD}}  # as if it ran on a rented GPU; it does not
    idle_after: {idle_after}                 # so short only to be watched; 10m is usual
    traffic:
      background: [/heartbeat]          # an open tab's stream: neither wakes the service nor keeps it awake
"""


def _text(value: str | list[str]) -> str:
    """As JSON, which is YAML whatever characters a path holds, and with ``${`` kept from being a variable."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${")
