"""An index by time: the ledger asks for the events of a month."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("event_by_time", "event", ["at_us", "id"])
