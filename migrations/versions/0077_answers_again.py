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
    # Kept for good, they are not thrown away to fit the older tables.
    op.execute(
        """
        DO $$
        DECLARE
          again bigint;
        BEGIN
          SELECT count(*) INTO again FROM (
            SELECT 1 FROM consensus_answer GROUP BY version_id, user_id, answer HAVING count(*) > 1
          ) AS twice;
          IF again > 0 THEN
            RAISE EXCEPTION 'the older tables keep one answer of a kind to a version of a consensus, and % repeated: '
              'restore the backup taken before the upgrade instead',
              again || CASE WHEN again = 1 THEN ' is' ELSE ' are' END;
          END IF;
        END $$
        """
    )
    op.execute("DROP INDEX ix_consensus_answer_version_id")
    op.execute(f"ALTER TABLE consensus_answer ADD CONSTRAINT {ONCE} UNIQUE (version_id, user_id, answer)")
