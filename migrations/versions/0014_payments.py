"""Make the tables of payments."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE payment_batch (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            reference TEXT NOT NULL,
            exported_at TIMESTAMP WITH TIME ZONE NOT NULL,
            exported_by UUID NOT NULL,
            orders INTEGER NOT NULL,
            total BIGINT NOT NULL,
            file_id UUID,
            file_sha256 TEXT,
            CONSTRAINT pk_payment_batch PRIMARY KEY (id),
            CONSTRAINT ck_payment_batch_total_positive CHECK (total > 0),
            CONSTRAINT ck_payment_batch_orders_positive CHECK (orders > 0),
            CONSTRAINT ck_payment_batch_file_has_hash CHECK ((file_id IS NULL) = (file_sha256 IS NULL)),
            CONSTRAINT ck_payment_batch_file_sha256_form CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT uq_payment_batch_reference UNIQUE (reference),
            CONSTRAINT fk_payment_batch_exported_by FOREIGN KEY(exported_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_batch_file_id FOREIGN KEY(file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE payment_request (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            reference TEXT NOT NULL,
            kind TEXT NOT NULL,
            report_id UUID,
            requested BIGINT NOT NULL,
            submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            due_on DATE NOT NULL,
            state TEXT NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_by UUID,
            decision_reason TEXT,
            approved BIGINT,
            payable BIGINT,
            retained BIGINT,
            cleared BIGINT,
            deferred BIGINT,
            recoverable BIGINT,
            CONSTRAINT pk_payment_request PRIMARY KEY (id),
            CONSTRAINT uq_payment_request_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT uq_payment_request_report_id UNIQUE (report_id),
            CONSTRAINT ck_payment_request_state_known CHECK (state IN ('submitted', 'approved', 'partly_approved', 'rejected', 'cleared', 'paid')),
            CONSTRAINT ck_payment_request_kind_known CHECK (kind IN ('prefinancing', 'interim', 'balance')),
            CONSTRAINT ck_payment_request_report_opens_it CHECK ((kind = 'prefinancing') = (report_id IS NULL)),
            CONSTRAINT ck_payment_request_requested_not_negative CHECK (requested >= 0),
            CONSTRAINT ck_payment_request_decided_has_time CHECK ((state = 'submitted') = (decided_at IS NULL)),
            CONSTRAINT ck_payment_request_decided_has_person CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
            CONSTRAINT ck_payment_request_approved_has_amount CHECK ((state IN ('submitted', 'rejected')) = (approved IS NULL)),
            CONSTRAINT ck_payment_request_decision_whole CHECK (num_nulls(approved, payable, retained, cleared, deferred, recoverable) IN (0, 6)),
            CONSTRAINT ck_payment_request_parts_not_negative CHECK (approved >= 0 AND payable >= 0 AND retained >= 0 AND cleared >= 0 AND deferred >= 0 AND recoverable >= 0),
            CONSTRAINT ck_payment_request_approved_within_requested CHECK (approved <= requested),
            CONSTRAINT ck_payment_request_parts_sum_to_approved CHECK (kind = 'balance' OR approved = payable + retained + cleared + deferred),
            CONSTRAINT ck_payment_request_cut_has_reason CHECK (state NOT IN ('rejected', 'partly_approved') OR decision_reason IS NOT NULL),
            CONSTRAINT ck_payment_request_cleared_pays_nothing CHECK (state <> 'cleared' OR payable = 0),
            CONSTRAINT ck_payment_request_paid_pays_something CHECK (state <> 'paid' OR payable > 0),
            CONSTRAINT fk_payment_request_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_payment_request_reference UNIQUE (reference),
            CONSTRAINT fk_payment_request_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_request_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_payment_request_due ON payment_request (state, due_on, reference)")
    op.execute(
        """
        CREATE UNIQUE INDEX uq_payment_request_one_of_a_kind ON payment_request (grant_id, kind) WHERE kind IN ('prefinancing', 'balance') AND state != 'rejected'
        """
    )
    op.execute(
        """
        CREATE TABLE payment_order (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            reference TEXT NOT NULL,
            request_id UUID NOT NULL,
            grant_id UUID NOT NULL,
            payee_id UUID NOT NULL,
            bank_account_id UUID NOT NULL,
            amount BIGINT NOT NULL,
            due_on DATE NOT NULL,
            state TEXT NOT NULL,
            prepared_by UUID NOT NULL,
            verified_by UUID,
            authorised_by UUID,
            exported_by UUID,
            executed_by UUID,
            batch_id UUID,
            value_on DATE,
            cancel_reason TEXT,
            CONSTRAINT pk_payment_order PRIMARY KEY (id),
            CONSTRAINT ck_payment_order_state_known CHECK (state IN ('prepared', 'verified', 'authorised', 'exported', 'executed', 'cancelled')),
            CONSTRAINT ck_payment_order_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_payment_order_verified_has_person CHECK (state NOT IN ('verified', 'authorised', 'exported', 'executed') OR verified_by IS NOT NULL),
            CONSTRAINT ck_payment_order_authorised_has_person CHECK (state NOT IN ('authorised', 'exported', 'executed') OR authorised_by IS NOT NULL),
            CONSTRAINT ck_payment_order_exported_has_person CHECK ((state IN ('exported', 'executed')) = (exported_by IS NOT NULL)),
            CONSTRAINT ck_payment_order_exported_in_batch CHECK ((exported_by IS NULL) = (batch_id IS NULL)),
            CONSTRAINT ck_payment_order_executed_has_person CHECK ((state = 'executed') = (executed_by IS NOT NULL)),
            CONSTRAINT ck_payment_order_executed_has_value_date CHECK ((executed_by IS NULL) = (value_on IS NULL)),
            CONSTRAINT ck_payment_order_cancelled_has_reason CHECK ((state = 'cancelled') = (cancel_reason IS NOT NULL)),
            CONSTRAINT ck_payment_order_verifier_is_another CHECK (verified_by <> prepared_by),
            CONSTRAINT ck_payment_order_authoriser_is_another CHECK (authorised_by NOT IN (prepared_by, verified_by)),
            CONSTRAINT ck_payment_order_payer_is_another CHECK (exported_by NOT IN (prepared_by, verified_by, authorised_by)),
            CONSTRAINT ck_payment_order_executor_is_another CHECK (executed_by NOT IN (prepared_by, verified_by, authorised_by)),
            CONSTRAINT uq_payment_order_reference UNIQUE (reference),
            CONSTRAINT fk_payment_order_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_payee_id FOREIGN KEY(payee_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_bank_account_id FOREIGN KEY(bank_account_id) REFERENCES bank_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_prepared_by FOREIGN KEY(prepared_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_verified_by FOREIGN KEY(verified_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_authorised_by FOREIGN KEY(authorised_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_exported_by FOREIGN KEY(exported_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_executed_by FOREIGN KEY(executed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_batch_id FOREIGN KEY(batch_id) REFERENCES payment_batch (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_payment_order_due ON payment_order (state, due_on, reference)")
    op.execute("CREATE INDEX ix_payment_order_grant_id ON payment_order (grant_id)")
    op.execute("CREATE INDEX ix_payment_order_bank_account_id ON payment_order (bank_account_id)")
    op.execute("CREATE INDEX ix_payment_order_request_id ON payment_order (request_id)")
    op.execute("CREATE INDEX ix_payment_order_batch_id ON payment_order (batch_id)")
    op.execute(
        """
        CREATE TABLE payment_order_signature (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            order_id UUID NOT NULL,
            step TEXT NOT NULL,
            user_id UUID NOT NULL,
            signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            amount BIGINT NOT NULL,
            bank_account_id UUID NOT NULL,
            note TEXT,
            voided_at TIMESTAMP WITH TIME ZONE,
            voided_why TEXT,
            CONSTRAINT pk_payment_order_signature PRIMARY KEY (id),
            CONSTRAINT ck_payment_order_signature_step_known CHECK (step IN ('prepared', 'verified', 'authorised', 'exported')),
            CONSTRAINT ck_payment_order_signature_voided_has_reason CHECK ((voided_at IS NULL) = (voided_why IS NULL)),
            CONSTRAINT fk_payment_order_signature_order_id FOREIGN KEY(order_id) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_signature_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_order_signature_bank_account_id FOREIGN KEY(bank_account_id) REFERENCES bank_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_payment_order_signature_step ON payment_order_signature (order_id, step) WHERE voided_at IS NULL
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_payment_order_signature_person ON payment_order_signature (order_id, user_id) WHERE voided_at IS NULL
        """
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          ordered numeric;
          owed bigint;
        BEGIN
          SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
            WHERE request_id = NEW.request_id AND state <> 'cancelled';
          SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
          IF ordered > coalesce(owed, 0) THEN
            RAISE EXCEPTION 'orders of payment request % sum to % cents; % are payable', NEW.request_id, ordered, coalesce(owed, 0)
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER payment_order_within_request AFTER INSERT OR UPDATE ON payment_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_orders_within_request()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE payment_batch, payment_order, payment_order_signature, payment_request")
    op.execute("DROP FUNCTION check_orders_within_request()")
