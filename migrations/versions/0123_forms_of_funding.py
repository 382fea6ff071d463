"""In which form a grant is paid, and what bounds its final amount: receipts of the action, and the frozen basis of each decision."""

from __future__ import annotations

from alembic import op

revision = "0123"
down_revision = "0122"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE grant_agreement
            ADD COLUMN funding_form TEXT NOT NULL DEFAULT 'actual_cost',
            ADD COLUMN no_profit TEXT NOT NULL DEFAULT 'none',
            ADD COLUMN certificate_from BIGINT,
            ADD COLUMN guarantee_asked BOOLEAN NOT NULL DEFAULT false,
            ADD CONSTRAINT ck_grant_agreement_funding_form_known CHECK (funding_form IN ('actual_cost', 'flat_rate')),
            ADD CONSTRAINT ck_grant_agreement_no_profit_known CHECK (no_profit IN ('none', 'whole', 'share')),
            ADD CONSTRAINT ck_grant_agreement_certificate_from_positive CHECK (certificate_from > 0)
        """
    )
    op.execute(
        """
        ALTER TABLE grant_agreement
            ALTER COLUMN funding_form DROP DEFAULT,
            ALTER COLUMN no_profit DROP DEFAULT,
            ALTER COLUMN guarantee_asked DROP DEFAULT
        """
    )
    op.execute(
        """
        ALTER TABLE periodic_report
            ADD COLUMN receipts BIGINT,
            ADD COLUMN receipts_words TEXT,
            ADD CONSTRAINT ck_periodic_report_receipts_whole CHECK ((receipts IS NULL) = (receipts_words IS NULL) AND receipts >= 0)
        """
    )
    op.execute(
        """
        CREATE TABLE final_basis (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            request_id UUID NOT NULL,
            form TEXT NOT NULL,
            no_profit TEXT NOT NULL,
            maximum BIGINT NOT NULL,
            accepted BIGINT NOT NULL,
            eligible BIGINT NOT NULL,
            contribution BIGINT NOT NULL,
            certificate_from BIGINT,
            certified BIGINT NOT NULL,
            receipts BIGINT,
            without_profit BIGINT,
            final BIGINT NOT NULL,
            CONSTRAINT pk_final_basis PRIMARY KEY (id),
            CONSTRAINT uq_final_basis_request_id UNIQUE (request_id),
            CONSTRAINT uq_final_basis_grant_id UNIQUE (grant_id),
            CONSTRAINT ck_final_basis_form_known CHECK (form IN ('actual_cost', 'flat_rate')),
            CONSTRAINT ck_final_basis_no_profit_known CHECK (no_profit IN ('none', 'whole', 'share')),
            CONSTRAINT ck_final_basis_receipts_count CHECK ((no_profit = 'none') = (receipts IS NULL) AND (receipts IS NULL) = (without_profit IS NULL)),
            CONSTRAINT ck_final_basis_not_negative CHECK (eligible >= 0 AND final >= 0),
            CONSTRAINT ck_final_basis_least_of_limits CHECK (final = LEAST(maximum, accepted, contribution, certified, without_profit)),
            CONSTRAINT fk_final_basis_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_final_basis_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER final_basis_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON final_basis "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM final_basis) OR EXISTS (SELECT FROM periodic_report WHERE receipts IS NOT NULL) OR EXISTS (
            SELECT FROM grant_agreement WHERE funding_form <> 'actual_cost' OR no_profit <> 'none'
              OR certificate_from IS NOT NULL OR guarantee_asked
          ) THEN
            RAISE EXCEPTION 'grants have a form of funding, receipts, or the basis of a final amount: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE final_basis")
    op.execute("ALTER TABLE periodic_report DROP COLUMN receipts, DROP COLUMN receipts_words")
    op.execute(
        "ALTER TABLE grant_agreement DROP COLUMN funding_form, DROP COLUMN no_profit, DROP COLUMN certificate_from, "
        "DROP COLUMN guarantee_asked"
    )
