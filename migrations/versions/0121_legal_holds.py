"""Legal holds and how long records are kept, the checklist a grant was closed with, the region of natural persons."""

from __future__ import annotations

from alembic import op

revision = "0121"
down_revision = "0120"
branch_labels = None
depends_on = None

_FACTS = (
    "'legal_name', 'pic', 'vat', 'registration', 'ror', 'legal_form', 'public_body', 'registered_address', 'contact_address',"
    " 'website'"
)


def _facts(known: str) -> None:
    op.execute(
        "ALTER TABLE organisation_fact DROP CONSTRAINT ck_organisation_fact_kind_known, "
        f"ADD CONSTRAINT ck_organisation_fact_kind_known CHECK (kind IN ({known}))"
    )


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE legal_hold (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            object_id UUID NOT NULL,
            reason TEXT NOT NULL,
            set_by UUID NOT NULL,
            set_at TIMESTAMP WITH TIME ZONE NOT NULL,
            lifted_by UUID,
            lifted_at TIMESTAMP WITH TIME ZONE,
            lift_reason TEXT,
            CONSTRAINT pk_legal_hold PRIMARY KEY (id),
            CONSTRAINT uq_legal_hold_number UNIQUE (number),
            CONSTRAINT ck_legal_hold_kind_known CHECK (kind IN ('call', 'grant')),
            CONSTRAINT ck_legal_hold_number_counts CHECK (number > 0),
            CONSTRAINT ck_legal_hold_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_legal_hold_lifted_whole CHECK (num_nulls(lifted_by, lifted_at, lift_reason) IN (0, 3)),
            CONSTRAINT ck_legal_hold_lifted_by_another CHECK (lifted_by <> set_by)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_legal_hold_open ON legal_hold (kind, object_id) WHERE lifted_at IS NULL")
    op.execute(
        "CREATE TRIGGER legal_hold_written_once BEFORE UPDATE OR DELETE ON legal_hold "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('lifted_by,lifted_at,lift_reason', '')"
    )
    op.execute(
        "CREATE TRIGGER legal_hold_never_emptied BEFORE TRUNCATE ON legal_hold FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE TABLE grant_closing (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            lines JSONB NOT NULL,
            note TEXT NOT NULL,
            closed_by UUID NOT NULL,
            closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_grant_closing PRIMARY KEY (id),
            CONSTRAINT uq_grant_closing_grant_id UNIQUE (grant_id),
            CONSTRAINT fk_grant_closing_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_grant_closing_closed_by FOREIGN KEY(closed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER grant_closing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON grant_closing "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        ALTER TABLE fund_source
            ADD COLUMN final_paid_on DATE,
            ADD COLUMN kept_years INTEGER NOT NULL DEFAULT 5,
            ADD COLUMN kept_years_small INTEGER NOT NULL DEFAULT 3,
            ADD COLUMN small_grant_max BIGINT NOT NULL DEFAULT 6000000,
            ADD CONSTRAINT ck_fund_source_kept_years_in_range
                CHECK (kept_years BETWEEN 0 AND 30 AND kept_years_small BETWEEN 0 AND 30),
            ADD CONSTRAINT ck_fund_source_small_grant_not_negative CHECK (small_grant_max >= 0)
        """
    )
    for name in ("kept_years", "kept_years_small", "small_grant_max"):
        op.execute(f"ALTER TABLE fund_source ALTER COLUMN {name} DROP DEFAULT")
    _facts(f"{_FACTS}, 'nuts2'")


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM legal_hold) OR EXISTS (SELECT FROM grant_closing)
            OR EXISTS (SELECT FROM organisation_fact WHERE kind = 'nuts2')
            OR EXISTS (SELECT FROM fund_source WHERE final_paid_on IS NOT NULL) THEN
            RAISE EXCEPTION 'holds, checklists of closures, final payments or regions of people are kept: that would be lost';
          END IF;
        END $$
        """
    )
    _facts(_FACTS)
    op.execute(
        "ALTER TABLE fund_source DROP COLUMN final_paid_on, DROP COLUMN kept_years, DROP COLUMN kept_years_small, "
        "DROP COLUMN small_grant_max"
    )
    op.execute("DROP TABLE grant_closing")
    op.execute("DROP TABLE legal_hold")
