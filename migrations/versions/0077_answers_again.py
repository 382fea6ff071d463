"""Who answers the same version of a consensus again has a row more; nothing they said is lost, and the last counts."""

from __future__ import annotations

from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

ONCE = "uq_consensus_answer_version_id_user_id_answer"


def upgrade() -> None:
    op.execute(f"ALTER TABLE consensus_answer DROP CONSTRAINT {ONCE}")
    op.execute("CREATE INDEX ix_consensus_answer_version_id ON consensus_answer (version_id)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_consensus_answer_version_id")
    op.execute(f"ALTER TABLE consensus_answer ADD CONSTRAINT {ONCE} UNIQUE (version_id, user_id, answer)")
