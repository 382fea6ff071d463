"""A draft of an amendment blocks its own side alone; what was sent is not rewritten."""

from __future__ import annotations

from alembic import op

revision = "0129"
down_revision = "0128"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX uq_amendment_one_open")
    op.execute("CREATE UNIQUE INDEX uq_amendment_one_open ON amendment (grant_id) WHERE state IN ('sent', 'offered')")
    op.execute("CREATE UNIQUE INDEX uq_amendment_one_draft ON amendment (grant_id, side) WHERE state = 'drafted'")
    op.execute(
        """
CREATE FUNCTION refuse_rewriting_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'this amendment was sent: what it says stands' USING ERRCODE = 'check_violation';
END $$
"""
    )
    op.execute(
        "CREATE TRIGGER amendment_sent_stands BEFORE UPDATE ON amendment FOR EACH ROW WHEN ("
        "OLD.sent_at IS NOT NULL AND (OLD.kind, OLD.by_letter, OLD.reason, OLD.change) IS DISTINCT FROM "
        "(NEW.kind, NEW.by_letter, NEW.reason, NEW.change)) EXECUTE FUNCTION refuse_rewriting_sent()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (
            SELECT FROM amendment WHERE state IN ('drafted', 'sent', 'offered') GROUP BY grant_id HAVING count(*) > 1
          ) THEN
            RAISE EXCEPTION 'more than one amendment of a grant is open: end all but one first';
          END IF;
        END $$
        """
    )
    op.execute("DROP TRIGGER amendment_sent_stands ON amendment")
    op.execute("DROP FUNCTION refuse_rewriting_sent()")
    op.execute("DROP INDEX uq_amendment_one_draft")
    op.execute("DROP INDEX uq_amendment_one_open")
    op.execute(
        "CREATE UNIQUE INDEX uq_amendment_one_open ON amendment (grant_id) WHERE state IN ('drafted', 'sent', 'offered')"
    )
