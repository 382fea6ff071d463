"""Evaluators say in which town they work."""

from __future__ import annotations

from alembic import op

revision = "0134"
down_revision = "0133"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE evaluator ADD COLUMN town TEXT CONSTRAINT ck_evaluator_town_said CHECK (town <> '')")


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM evaluator WHERE town IS NOT NULL) THEN
            RAISE EXCEPTION 'evaluators said in which town they work: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE evaluator DROP COLUMN town")
