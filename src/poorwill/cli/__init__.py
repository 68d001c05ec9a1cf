"""The command line. Heavy things are imported inside the commands: ``poorwill --help`` must be quick."""

from __future__ import annotations

from poorwill.cli.entry import main

__all__ = ["main"]
