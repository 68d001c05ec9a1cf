"""Services that people's own scripts start and stop: on this host, or on the machine a service lives on."""

from __future__ import annotations

from poorwill.providers.command.provider import CommandProvider, Options

__all__ = ["CommandProvider", "Options"]
