"""When an evaluator stepped down from a call, and why; their entry in the pool stays."""

from __future__ import annotations

from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE evaluator
            ADD COLUMN stepped_down_at TIMESTAMPTZ,
            ADD COLUMN stepped_down_why TEXT,
            ADD CONSTRAINT ck_evaluator_stepped_down_why CHECK ((stepped_down_at IS NULL) = (stepped_down_why IS NULL))
        """
    )
    # Until now only whoever had accepted words could stop, by taking the acceptance back.
    op.execute(
        """
        UPDATE evaluator SET stepped_down_at = gone.withdrawn_at, stepped_down_why = gone.withdrawn_why
        FROM (
            SELECT DISTINCT ON (call_id, user_id) call_id, user_id, withdrawn_at, withdrawn_why
            FROM evaluator_acceptance WHERE withdrawn_at IS NOT NULL
            ORDER BY call_id, user_id, withdrawn_at DESC
        ) gone
        WHERE gone.call_id = evaluator.call_id AND gone.user_id = evaluator.user_id
          AND NOT EXISTS (
            SELECT FROM evaluator_acceptance a
            WHERE a.call_id = evaluator.call_id AND a.user_id = evaluator.user_id AND a.withdrawn_at IS NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE evaluator DROP COLUMN stepped_down_at, DROP COLUMN stepped_down_why")
