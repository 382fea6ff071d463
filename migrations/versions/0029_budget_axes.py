"""Amounts of a budget by work package and period, and who saved each when."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE budget_package (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            budget_id UUID NOT NULL,
            code TEXT NOT NULL,
            title TEXT NOT NULL,
            position INTEGER NOT NULL,
            lead_id UUID,
            starts_month INTEGER,
            ends_month INTEGER,
            CONSTRAINT pk_budget_package PRIMARY KEY (id),
            CONSTRAINT uq_budget_package_budget_id_code UNIQUE (budget_id, code),
            CONSTRAINT ck_budget_package_months_both CHECK ((starts_month IS NULL) = (ends_month IS NULL)),
            CONSTRAINT ck_budget_package_months_in_order CHECK (starts_month >= 1 AND ends_month >= starts_month),
            CONSTRAINT fk_budget_package_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_package_lead_id FOREIGN KEY(lead_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_budget_package_lead_id ON budget_package (lead_id)")
    op.execute(
        """
        ALTER TABLE budget_line
            ADD COLUMN work_package TEXT NOT NULL DEFAULT '',
            ADD COLUMN period INTEGER NOT NULL DEFAULT 0,
            ADD COLUMN saved_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN saved_by UUID,
            DROP CONSTRAINT uq_budget_line_budget_id_organisation_id_category,
            ADD CONSTRAINT uq_budget_line_cell
                UNIQUE (budget_id, organisation_id, category, work_package, period),
            ADD CONSTRAINT ck_budget_line_period_not_negative CHECK (period >= 0)
        """
    )
    op.execute("ALTER TABLE budget_line ALTER work_package DROP DEFAULT, ALTER period DROP DEFAULT")


def downgrade() -> None:
    # What was entered by work package and period becomes one amount again.
    op.execute(
        """
        WITH kept AS (
            SELECT DISTINCT ON (budget_id, organisation_id, category) id,
                   sum(amount) OVER (PARTITION BY budget_id, organisation_id, category) AS whole
            FROM budget_line ORDER BY budget_id, organisation_id, category, id
        ), gone AS (
            DELETE FROM budget_line WHERE id NOT IN (SELECT id FROM kept)
        )
        UPDATE budget_line SET amount = kept.whole FROM kept WHERE kept.id = budget_line.id
        """
    )
    op.execute(
        """
        ALTER TABLE budget_line
            DROP COLUMN work_package, DROP COLUMN period, DROP COLUMN saved_at, DROP COLUMN saved_by,
            ADD CONSTRAINT uq_budget_line_budget_id_organisation_id_category UNIQUE (budget_id, organisation_id, category)
        """
    )
    op.execute("DROP TABLE budget_package")
