"""A list of executed payments as CSV comes in beside the messages of a bank."""

from __future__ import annotations

from alembic import op

revision = "0120"
down_revision = "0119"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _kinds("'camt.053', 'camt.054', 'pain.002', 'csv'")


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM bank_import WHERE kind = 'csv') THEN
            RAISE EXCEPTION 'lists of executed payments were brought: what was booked by them would have no source';
          END IF;
        END $$
        """
    )
    _kinds("'camt.053', 'camt.054', 'pain.002'")


def _kinds(known: str) -> None:
    op.execute("ALTER TABLE bank_import DROP CONSTRAINT ck_bank_import_kind_known")
    op.execute(f"ALTER TABLE bank_import ADD CONSTRAINT ck_bank_import_kind_known CHECK (kind IN ({known}))")
