"""A list made by a job can be head and rows alone, as one that is made at once."""

from __future__ import annotations

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE list_file ADD COLUMN bare BOOLEAN NOT NULL DEFAULT false")
    op.execute("ALTER TABLE list_file ALTER COLUMN bare DROP DEFAULT")


def downgrade() -> None:
    op.execute("ALTER TABLE list_file DROP COLUMN bare")
