"""Keep the time limits of reports and payments with each grant, and in the calls that were filled from the template."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Until now the program itself counted with these days, for every grant and every call; the columns keep no default.
    op.execute(
        """
        ALTER TABLE grant_agreement
            ADD COLUMN prefinancing_days INTEGER NOT NULL DEFAULT 30,
            ADD COLUMN before_start_days INTEGER NOT NULL DEFAULT 10,
            ADD COLUMN report_days INTEGER NOT NULL DEFAULT 60,
            ADD COLUMN interim_days INTEGER NOT NULL DEFAULT 90,
            ADD COLUMN balance_days INTEGER NOT NULL DEFAULT 90,
            ADD COLUMN time_limits_on DATE NOT NULL DEFAULT DATE '2000-01-01'
        """
    )
    op.execute("UPDATE grant_agreement SET time_limits_on = (created_at AT TIME ZONE 'Europe/Brussels')::date")
    op.execute(
        """
        ALTER TABLE grant_agreement
            ALTER COLUMN prefinancing_days DROP DEFAULT,
            ALTER COLUMN before_start_days DROP DEFAULT,
            ALTER COLUMN report_days DROP DEFAULT,
            ALTER COLUMN interim_days DROP DEFAULT,
            ALTER COLUMN balance_days DROP DEFAULT,
            ALTER COLUMN time_limits_on DROP DEFAULT,
            ADD CONSTRAINT ck_grant_agreement_time_limits_in_range CHECK (prefinancing_days BETWEEN 1 AND 365 AND before_start_days BETWEEN 0 AND 365 AND report_days BETWEEN 1 AND 365 AND interim_days BETWEEN 1 AND 365 AND balance_days BETWEEN 1 AND 365)
        """
    )
    op.execute(
        """
        UPDATE call SET content = jsonb_set(content, '{fields,payment.time_limits}', jsonb_build_object(
            'value', jsonb_build_object('prefinancing', 30, 'before_start', 10, 'report', 60, 'interim', 90, 'balance', 90),
            'confidence', 'template', 'source', NULL, 'note', NULL))
        WHERE content #>> '{fields,payment.prefinancing_percent,value}' IS NOT NULL
            AND content #> '{fields,payment.time_limits}' IS NULL
        """
    )


def downgrade() -> None:
    op.execute("UPDATE call SET content = content #- '{fields,payment.time_limits}'")
    op.execute(
        """
        ALTER TABLE grant_agreement
            DROP COLUMN prefinancing_days, DROP COLUMN before_start_days, DROP COLUMN report_days,
            DROP COLUMN interim_days, DROP COLUMN balance_days, DROP COLUMN time_limits_on
        """
    )
