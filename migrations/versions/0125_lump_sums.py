"""Lump sums: what reports declare of work packages, and what is accepted of them."""

from __future__ import annotations

from alembic import op

revision = "0125"
down_revision = "0124"
branch_labels = None
depends_on = None


def _forms(known: str) -> None:
    for table, column in (("grant_agreement", "funding_form"), ("final_basis", "form")):
        op.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}_known, "
            f"ADD CONSTRAINT ck_{table}_{column}_known CHECK ({column} IN ({known}))"
        )


def upgrade() -> None:
    _forms("'actual_cost', 'flat_rate', 'lump_sum'")
    op.execute(
        """
        CREATE TABLE package_claim (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            report_id UUID NOT NULL,
            code TEXT NOT NULL,
            percent INTEGER NOT NULL,
            words TEXT NOT NULL,
            declared_at TIMESTAMP WITH TIME ZONE NOT NULL,
            declared_by UUID NOT NULL,
            accepted INTEGER,
            reason TEXT,
            CONSTRAINT pk_package_claim PRIMARY KEY (id),
            CONSTRAINT uq_package_claim_report_id_code UNIQUE (report_id, code),
            CONSTRAINT ck_package_claim_percent_in_range CHECK (percent BETWEEN 0 AND 100),
            CONSTRAINT ck_package_claim_accepted_within_declared CHECK (accepted >= 0 AND accepted <= percent),
            CONSTRAINT ck_package_claim_cut_has_reason CHECK (accepted = percent OR reason IS NOT NULL),
            CONSTRAINT fk_package_claim_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_package_claim_declared_by FOREIGN KEY(declared_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM package_claim) OR EXISTS (SELECT FROM grant_agreement WHERE funding_form = 'lump_sum') THEN
            RAISE EXCEPTION 'grants are paid as lump sums: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE package_claim")
    _forms("'actual_cost', 'flat_rate'")
