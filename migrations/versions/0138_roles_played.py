"""The roles somebody has beside those in one thing: every page of the demo asks for them, of people with thousands."""

from __future__ import annotations

from alembic import op

revision = "0138"
down_revision = "0137"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_role_grant_plays ON role_grant (user_id) WHERE object_id IS NULL OR role = 'city_advisor'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_role_grant_plays")
