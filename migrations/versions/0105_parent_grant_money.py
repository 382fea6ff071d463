"""What a parent grant brings in all, and its own days for report and payment."""

from __future__ import annotations

from alembic import op

revision = "0105"
down_revision = "0104"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE fund_source
            ADD COLUMN amount BIGINT, ADD COLUMN report_days INTEGER, ADD COLUMN payment_days INTEGER,
            ADD CONSTRAINT ck_fund_source_amount_positive CHECK (amount > 0),
            ADD CONSTRAINT ck_fund_source_days_in_range CHECK (report_days BETWEEN 0 AND 365 AND payment_days BETWEEN 0 AND 365)
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE fund_source DROP COLUMN amount, DROP COLUMN report_days, DROP COLUMN payment_days")
