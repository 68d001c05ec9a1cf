"""Instances that are played: local processes behind a place that is as slow and unkind as you want it."""

from __future__ import annotations

from poorwill.providers.fake.options import Options
from poorwill.providers.fake.provider import FakeProvider

__all__ = ["FakeProvider", "Options"]
