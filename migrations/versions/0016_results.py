"""Forget results days that no act of publication set: a day from a call file or typed early decided nothing.

A call whose outcome two people recorded from its publication keeps its day. Every other call is published anew, which
gives the bars of its conflicts their end. The day of a call file stays among the values of the call.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        UPDATE call SET results_public_at = NULL, version = version + 1
        WHERE results_public_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM selection
            WHERE selection.call_id = call.id AND selection.kind = 'published_outcome' AND selection.state = 'confirmed'
        )
        """
    )


def downgrade() -> None:
    # What was forgotten was no decision; there is nothing to bring back.
    op.execute("SELECT 1")
