"""Brings a journal to the newest revision; apart from ``database`` because importing Alembic is slow."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def config(connection: Connection | None = None) -> Config:
    made = Config()
    # Alembic reads options with ConfigParser, to which a percent sign is special.
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def migrate(connection: Connection) -> None:
    """Run every missing revision inside the transaction that ``connection`` is in: all or none."""
    command.upgrade(config(connection), "head")
