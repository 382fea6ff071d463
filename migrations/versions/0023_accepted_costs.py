"""What an officer accepted of a report is never changed or removed."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TRIGGER accepted_cost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accepted_cost "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER accepted_cost_append_only ON accepted_cost")
