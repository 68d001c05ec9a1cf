"""The provider of rented instances that a cloud's REST API switches on and off, described in YAML."""

from __future__ import annotations

from poorwill.providers.http.options import Options
from poorwill.providers.http.provider import HttpProvider

__all__ = ["HttpProvider", "Options"]
