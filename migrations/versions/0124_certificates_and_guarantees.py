"""Certificates that the balance waits for, and guarantees that pre-financing waits for."""

from __future__ import annotations

from alembic import op

revision = "0124"
down_revision = "0123"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE financial_certificate (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            number INTEGER NOT NULL,
            state TEXT NOT NULL,
            contribution BIGINT NOT NULL,
            issuer TEXT,
            issued_on DATE,
            brought_at TIMESTAMP WITH TIME ZONE,
            brought_by UUID,
            judged_at TIMESTAMP WITH TIME ZONE,
            judged_by UUID,
            words TEXT,
            CONSTRAINT pk_financial_certificate PRIMARY KEY (id),
            CONSTRAINT uq_financial_certificate_grant_id_organisation_id UNIQUE (grant_id, organisation_id),
            CONSTRAINT uq_financial_certificate_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_financial_certificate_state_known CHECK (state IN ('wanted', 'brought', 'accepted', 'done_without')),
            CONSTRAINT ck_financial_certificate_number_counts CHECK (number > 0),
            CONSTRAINT ck_financial_certificate_brought_whole CHECK (state NOT IN ('brought', 'accepted') OR num_nulls(issuer, issued_on, brought_at, brought_by) = 0),
            CONSTRAINT ck_financial_certificate_judged_has_person CHECK (state NOT IN ('accepted', 'done_without') OR num_nulls(judged_at, judged_by) = 0),
            CONSTRAINT ck_financial_certificate_done_without_has_reason CHECK (state <> 'done_without' OR words IS NOT NULL),
            CONSTRAINT ck_financial_certificate_judged_by_another CHECK (state <> 'accepted' OR judged_by <> brought_by),
            CONSTRAINT fk_financial_certificate_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_financial_certificate_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_financial_certificate_brought_by FOREIGN KEY(brought_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_financial_certificate_judged_by FOREIGN KEY(judged_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE payment_guarantee (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            guarantor TEXT NOT NULL,
            amount BIGINT NOT NULL,
            valid_until DATE NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            recorded_by UUID NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            ended_by UUID,
            end_reason TEXT,
            CONSTRAINT pk_payment_guarantee PRIMARY KEY (id),
            CONSTRAINT uq_payment_guarantee_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_payment_guarantee_number_counts CHECK (number > 0),
            CONSTRAINT ck_payment_guarantee_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_payment_guarantee_has_guarantor CHECK (guarantor <> ''),
            CONSTRAINT ck_payment_guarantee_ended_whole CHECK (num_nulls(ended_at, ended_by, end_reason) IN (0, 3)),
            CONSTRAINT fk_payment_guarantee_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_guarantee_recorded_by FOREIGN KEY(recorded_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_guarantee_ended_by FOREIGN KEY(ended_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_payment_guarantee_stands ON payment_guarantee (grant_id) WHERE ended_at IS NULL")
    op.execute(
        "CREATE TRIGGER payment_guarantee_written_once BEFORE UPDATE OR DELETE ON payment_guarantee "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('ended_at,ended_by,end_reason', '')"
    )
    op.execute(
        "CREATE TRIGGER payment_guarantee_never_emptied BEFORE TRUNCATE ON payment_guarantee "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM financial_certificate) OR EXISTS (SELECT FROM payment_guarantee) THEN
            RAISE EXCEPTION 'certificates are wanted or guarantees recorded: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE payment_guarantee")
    op.execute("DROP TABLE financial_certificate")
