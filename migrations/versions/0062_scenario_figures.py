"""A decided list keeps what every scenario came to beside it."""

from __future__ import annotations

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Written once with the list: the trigger of the table knows by name what may change later.
    op.execute("ALTER TABLE selection ADD COLUMN compared JSONB")


def downgrade() -> None:
    op.execute("ALTER TABLE selection DROP COLUMN compared")
