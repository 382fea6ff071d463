"""Lists of conversations are read by when each was opened, also across programmes."""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_conversation_desk": "within_id, queue, state",
    "ix_conversation_about": "about_id",
    "ix_conversation_opened_by": "opened_by",
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON conversation ({columns}, created_at, reference)")


def downgrade() -> None:
    for name, columns in INDEXES.items():
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON conversation ({columns}, reference)")
