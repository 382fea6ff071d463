"""An invitation to a pool is answered from its mail: a yes that waits for the profile, and why somebody declined."""

from __future__ import annotations

from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE evaluator_invitation
            ADD COLUMN declined_for TEXT,
            DROP CONSTRAINT ck_evaluator_invitation_state_known,
            ADD CONSTRAINT ck_evaluator_invitation_state_known
                CHECK (state IN ('invited', 'agreed', 'accepted', 'declined', 'withdrawn')),
            ADD CONSTRAINT ck_evaluator_invitation_declined_for_known
                CHECK (declined_for IN ('no_time', 'conflict', 'not_my_field', 'other')),
            ADD CONSTRAINT ck_evaluator_invitation_declined_for_a_reason
                CHECK (declined_for IS NULL OR state = 'declined')
        """
    )


def downgrade() -> None:
    # Whoever said yes and has no profile yet is asked again; that they answered is on the record of acts.
    op.execute("UPDATE evaluator_invitation SET state = 'invited', answered_at = NULL WHERE state = 'agreed'")
    op.execute(
        """
        ALTER TABLE evaluator_invitation
            DROP COLUMN declined_for,
            DROP CONSTRAINT ck_evaluator_invitation_state_known,
            ADD CONSTRAINT ck_evaluator_invitation_state_known
                CHECK (state IN ('invited', 'accepted', 'declined', 'withdrawn'))
        """
    )
