"""A published call keeps the rules of its parent grant it was opened with."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE call ADD COLUMN parent_rules JSONB")
    op.execute(
        "UPDATE call SET parent_rules = (SELECT rules FROM fund_source WHERE fund_source.id = call.fund_source_id)"
        " WHERE published_at IS NOT NULL"
    )
    # What the update left for the end of the transaction is checked now, before the table changes again.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        "ALTER TABLE call ADD CONSTRAINT ck_call_opened_with_rules"
        " CHECK (published_at IS NULL OR parent_rules IS NOT NULL)"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE call DROP COLUMN parent_rules")
