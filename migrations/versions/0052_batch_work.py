"""What the desk asked for in one go is a pass by the facts or the sending of letters."""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE eligibility_batch ADD COLUMN work TEXT NOT NULL DEFAULT 'pass'")
    op.execute("ALTER TABLE eligibility_batch ALTER COLUMN work DROP DEFAULT")
    op.execute(
        "ALTER TABLE eligibility_batch ADD CONSTRAINT ck_eligibility_batch_work_known CHECK (work IN ('pass', 'letters'))"
    )


def downgrade() -> None:
    # A sending of letters is not there in the version before: its letters are, with who sent them and when.
    op.execute(
        "DELETE FROM eligibility_batch_item USING eligibility_batch"
        " WHERE eligibility_batch.id = batch_id AND eligibility_batch.work = 'letters'"
    )
    op.execute("DELETE FROM eligibility_batch WHERE work = 'letters'")
    op.execute("ALTER TABLE eligibility_batch DROP CONSTRAINT ck_eligibility_batch_work_known")
    op.execute("ALTER TABLE eligibility_batch DROP COLUMN work")
