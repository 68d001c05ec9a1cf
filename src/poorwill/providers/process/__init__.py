"""Instances that are processes on this host: a command, started and stopped by Poorwill itself."""

from __future__ import annotations

from poorwill.providers.process.options import LogOptions, Options
from poorwill.providers.process.provider import ProcessProvider

__all__ = ["LogOptions", "Options", "ProcessProvider"]
