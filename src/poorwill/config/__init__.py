"""poorwill.yaml: what it may say, and reading it."""

from __future__ import annotations

from poorwill.config.address import ServiceAddress
from poorwill.config.load import load
from poorwill.config.locate import Whereabouts, locate
from poorwill.config.machine import MachineConfig
from poorwill.config.run import Run
from poorwill.config.schema import json_schema
from poorwill.config.service import ServiceConfig
from poorwill.config.spec import Settings
from poorwill.config.traffic import Ready, Traffic
from poorwill.config.units import HostPort, format_duration

__all__ = [
    "HostPort",
    "MachineConfig",
    "Ready",
    "Run",
    "ServiceAddress",
    "ServiceConfig",
    "Settings",
    "Traffic",
    "Whereabouts",
    "format_duration",
    "json_schema",
    "load",
    "locate",
]
