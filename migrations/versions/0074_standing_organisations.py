"""Organisations found by the entry of the register that stands for them, which every condition on conflicts joins by."""

from __future__ import annotations

from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_organisation_standing ON organisation (coalesce(same_as_id, id))")


def downgrade() -> None:
    op.execute("DROP INDEX ix_organisation_standing")
