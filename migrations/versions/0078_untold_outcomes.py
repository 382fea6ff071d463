"""What a team reads of its application while its outcome is decided and no letter has told it."""

from __future__ import annotations

from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever is decided already was told by the short mail of then: nothing is hidden of them.
    op.execute(
        """
        ALTER TABLE application
            ADD COLUMN told_state TEXT,
            ADD COLUMN told_since TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT ck_application_told_has_time CHECK ((told_state IS NULL) = (told_since IS NULL)),
            ADD CONSTRAINT ck_application_untold_is_decided CHECK (
                told_state IS NULL
                OR (told_state IN ('under_evaluation', 'reserve')
                    AND state IN ('selected', 'reserve', 'below_threshold', 'not_funded') AND state <> told_state)
            )
        """
    )


def downgrade() -> None:
    # The older program shows every team the state its application is in.
    op.execute(
        """
        DO $$
        DECLARE
          untold bigint;
        BEGIN
          SELECT count(*) INTO untold FROM application
          WHERE told_state = 'reserve'
             OR told_state IS NOT NULL AND call_id NOT IN (SELECT id FROM call WHERE results_public_at <= now());
          IF untold > 0 THEN
            RAISE EXCEPTION '% would be read by their teams before a letter told them: send the letters of decision first',
              untold || CASE WHEN untold = 1 THEN ' outcome' ELSE ' outcomes' END;
          END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE application DROP COLUMN told_state, DROP COLUMN told_since")
