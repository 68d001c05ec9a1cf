"""The journal's tables as the queries see them, and the list of the revisions that led there.

The tables are made by the migrations; a test holds this page and the migrations equal.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text

REVISIONS = ("0001", "0002")
"""Every revision, oldest first. Kept here because importing Alembic to ask it costs a quarter of a second."""

HEAD = REVISIONS[-1]

metadata = MetaData()

event = Table(
    "event",
    metadata,
    # SQLite gives out row ids itself, without gaps, for a column of exactly the type INTEGER.
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("at_us", BigInteger(), nullable=False),
    Column("mono", Double(), nullable=False),
    Column("boot", String(), nullable=False),
    Column("kind", String(), nullable=False),
    Column("service", String(), nullable=False),
    Column("instance", String(), nullable=False),
    Column("reason", Text(), nullable=False),
    Column("detail", Text(), nullable=False),
    Index("event_by_service", "service", "id"),
    Index("event_by_kind", "service", "kind", "id"),
    Index("event_by_instance", "service", "instance", "kind", "id"),
    Index("event_by_time", "at_us", "id"),
)
