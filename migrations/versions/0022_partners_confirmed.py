"""Somebody from outside who accepts for an organisation waits for it; organisations that only a draft describes are marked."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE application_partner
            DROP CONSTRAINT ck_application_partner_state_known,
            ADD CONSTRAINT ck_application_partner_state_known CHECK (state IN ('invited', 'waiting', 'accepted', 'declined'))
        """
    )
    # Every organisation could be chosen until now, and stays so; the column keeps no default.
    op.execute("ALTER TABLE organisation ADD COLUMN draft_only BOOLEAN NOT NULL DEFAULT false")
    op.execute("ALTER TABLE organisation ALTER COLUMN draft_only DROP DEFAULT")


def downgrade() -> None:
    op.execute("ALTER TABLE organisation DROP COLUMN draft_only")
    # Before, an answer from outside counted at once; asked again, it is given again.
    op.execute("UPDATE application_partner SET state = 'invited', answered_at = NULL WHERE state = 'waiting'")
    op.execute(
        """
        ALTER TABLE application_partner
            DROP CONSTRAINT ck_application_partner_state_known,
            ADD CONSTRAINT ck_application_partner_state_known CHECK (state IN ('invited', 'accepted', 'declined'))
        """
    )
