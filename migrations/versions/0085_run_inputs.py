"""A run of the assignment keeps its whole input, compressed, and how long it was worked out."""

from __future__ import annotations

from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Runs of before these were kept have none; the trigger that lets no run be changed covers both.
    op.execute("ALTER TABLE assignment_run ADD COLUMN input BYTEA, ADD COLUMN milliseconds INTEGER")
    op.execute(
        "ALTER TABLE assignment_run ADD CONSTRAINT ck_assignment_run_milliseconds_not_negative CHECK (milliseconds >= 0)"
    )


def downgrade() -> None:
    # The seats of a run stand in its certificate since; nothing of before reads them there.
    op.execute("ALTER TABLE assignment_run DROP COLUMN milliseconds, DROP COLUMN input")
