"""Reminders of assessments that are missing: who was reminded when and by whom, which only ever comes."""

from __future__ import annotations

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE assignment_reminder (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            assignment_id UUID NOT NULL,
            reminded_by UUID NOT NULL,
            message TEXT NOT NULL,
            reason TEXT,
            CONSTRAINT pk_assignment_reminder PRIMARY KEY (id),
            CONSTRAINT fk_assignment_reminder_assignment_id FOREIGN KEY(assignment_id) REFERENCES assignment (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_assignment_reminder_reminded_by FOREIGN KEY(reminded_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_assignment_reminder_assignment_id ON assignment_reminder (assignment_id)")
    op.execute(
        "CREATE TRIGGER assignment_reminder_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment_reminder "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE assignment_reminder")
