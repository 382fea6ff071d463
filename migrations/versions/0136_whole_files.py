"""Two people may say that a line of the bank is a whole payment file in one sum."""

from __future__ import annotations

from alembic import op

revision = "0136"
down_revision = "0135"
branch_labels = None
depends_on = None

BEFORE = "'order', 'recovery', 'funding', 'unidentified', 'charge', 'return', 'repaid', 'set_aside'"


def _can_be(explained: str) -> None:
    op.execute("ALTER TABLE bank_claim DROP CONSTRAINT ck_bank_claim_explained_known")
    op.execute(
        f"ALTER TABLE bank_claim ADD CONSTRAINT ck_bank_claim_explained_known CHECK (explained IN ({explained}))"
    )


def upgrade() -> None:
    _can_be(f"{BEFORE}, 'file'")
    op.execute(
        """
        ALTER TABLE bank_claim
            ADD COLUMN batch_id UUID,
            ADD CONSTRAINT fk_bank_claim_batch_id FOREIGN KEY(batch_id) REFERENCES payment_batch (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT ck_bank_claim_file_is_named CHECK ((explained = 'file') = (batch_id IS NOT NULL))
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM bank_claim WHERE explained = 'file') THEN
            RAISE EXCEPTION 'somebody said that a line of the bank is a whole payment file: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE bank_claim DROP COLUMN batch_id")
    _can_be(BEFORE)
