"""What is refused of a request is kept and a rejected one can be asked for again; recoveries; statements that repeat."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

APPEND_ONLY = ("recovery_receipt", "ledger_reading", "statement_figures")


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE payment_request
            ADD COLUMN refused BIGINT,
            ADD COLUMN replaces_id UUID,
            ADD COLUMN reply TEXT
        """
    )
    # Until now what was approved less came back with the balance: it was refused in words only, and is from here on.
    op.execute("UPDATE payment_request SET refused = requested - approved WHERE approved IS NOT NULL")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE payment_request
            DROP CONSTRAINT uq_payment_request_report_id,
            DROP CONSTRAINT ck_payment_request_decision_whole,
            DROP CONSTRAINT ck_payment_request_parts_not_negative,
            DROP CONSTRAINT ck_payment_request_approved_within_requested,
            ADD CONSTRAINT ck_payment_request_decision_whole CHECK (num_nulls(approved, refused, payable, retained, cleared, deferred, recoverable) IN (0, 7)),
            ADD CONSTRAINT ck_payment_request_parts_not_negative CHECK (approved >= 0 AND refused >= 0 AND payable >= 0 AND retained >= 0 AND cleared >= 0 AND deferred >= 0 AND recoverable >= 0),
            ADD CONSTRAINT ck_payment_request_approved_and_refused_are_requested CHECK (approved + refused = requested),
            ADD CONSTRAINT ck_payment_request_asked_again_with_reply CHECK ((replaces_id IS NULL) = (reply IS NULL)),
            ADD CONSTRAINT uq_payment_request_replaces_id UNIQUE (replaces_id),
            ADD CONSTRAINT fk_payment_request_replaces_id FOREIGN KEY(replaces_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_payment_request_report_id ON payment_request (report_id) WHERE state <> 'rejected'"
    )
    op.execute(
        """
        CREATE TABLE recovery (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            request_id UUID NOT NULL,
            reference TEXT NOT NULL,
            amount BIGINT NOT NULL,
            reason TEXT NOT NULL,
            due_on DATE NOT NULL,
            state TEXT NOT NULL,
            established_at TIMESTAMP WITH TIME ZONE NOT NULL,
            established_by UUID NOT NULL,
            waived BIGINT,
            waived_at TIMESTAMP WITH TIME ZONE,
            waived_by UUID,
            waive_reason TEXT,
            CONSTRAINT pk_recovery PRIMARY KEY (id),
            CONSTRAINT uq_recovery_request_id UNIQUE (request_id),
            CONSTRAINT uq_recovery_reference UNIQUE (reference),
            CONSTRAINT ck_recovery_state_known CHECK (state IN ('established', 'paid', 'waived')),
            CONSTRAINT ck_recovery_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_recovery_waived_within_amount CHECK (waived > 0 AND waived <= amount),
            CONSTRAINT ck_recovery_waived_has_amount CHECK ((state = 'waived') = (waived IS NOT NULL)),
            CONSTRAINT ck_recovery_waiver_whole CHECK (num_nulls(waived, waived_at, waived_by, waive_reason) IN (0, 4)),
            CONSTRAINT fk_recovery_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_established_by FOREIGN KEY(established_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_waived_by FOREIGN KEY(waived_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_recovery_grant_id ON recovery (grant_id)")
    op.execute(
        """
        CREATE TABLE recovery_receipt (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            recovery_id UUID NOT NULL,
            amount BIGINT NOT NULL,
            value_on DATE NOT NULL,
            bank_reference TEXT NOT NULL,
            booked_by UUID NOT NULL,
            CONSTRAINT pk_recovery_receipt PRIMARY KEY (id),
            CONSTRAINT uq_recovery_receipt_recovery_id_bank_reference UNIQUE (recovery_id, bank_reference),
            CONSTRAINT ck_recovery_receipt_amount_positive CHECK (amount > 0),
            CONSTRAINT fk_recovery_receipt_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_receipt_booked_by FOREIGN KEY(booked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE ledger_reading (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            as_of TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_ledger_reading PRIMARY KEY (id)
        )
        """
    )
    op.execute("CREATE INDEX ix_ledger_reading_as_of ON ledger_reading (as_of)")
    op.execute(
        """
        CREATE TABLE statement_figures (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            name TEXT NOT NULL,
            scope_id UUID NOT NULL,
            as_of TIMESTAMP WITH TIME ZONE NOT NULL,
            figures JSONB NOT NULL,
            sha256 TEXT NOT NULL,
            CONSTRAINT pk_statement_figures PRIMARY KEY (id),
            CONSTRAINT uq_statement_figures_name_scope_id_as_of UNIQUE (name, scope_id, as_of)
        )
        """
    )
    # What was built already is what a second run must say.
    op.execute(
        """
        INSERT INTO statement_figures (id, created_at, version, name, scope_id, as_of, figures, sha256)
        SELECT DISTINCT ON (name, scope_id, as_of) id, built_at, 1, name, scope_id, as_of, figures, figures_sha256
        FROM statement_run WHERE figures IS NOT NULL ORDER BY name, scope_id, as_of, built_at, id
        """
    )
    op.execute(
        """
        INSERT INTO ledger_reading (id, created_at, version, as_of)
        SELECT id, built_at, 1, as_of FROM statement_run WHERE figures IS NOT NULL ORDER BY as_of DESC, id LIMIT 1
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )


def downgrade() -> None:
    op.execute("DROP TABLE statement_figures")
    op.execute("DROP TABLE ledger_reading")
    op.execute("DROP TABLE recovery_receipt")
    op.execute("DROP TABLE recovery")
    op.execute("DROP INDEX uq_payment_request_report_id")
    op.execute(
        """
        ALTER TABLE payment_request
            DROP CONSTRAINT ck_payment_request_decision_whole,
            DROP CONSTRAINT ck_payment_request_parts_not_negative,
            DROP CONSTRAINT ck_payment_request_approved_and_refused_are_requested,
            DROP CONSTRAINT ck_payment_request_asked_again_with_reply,
            DROP COLUMN refused, DROP COLUMN replaces_id, DROP COLUMN reply,
            ADD CONSTRAINT uq_payment_request_report_id UNIQUE (report_id),
            ADD CONSTRAINT ck_payment_request_decision_whole CHECK (num_nulls(approved, payable, retained, cleared, deferred, recoverable) IN (0, 6)),
            ADD CONSTRAINT ck_payment_request_parts_not_negative CHECK (approved >= 0 AND payable >= 0 AND retained >= 0 AND cleared >= 0 AND deferred >= 0 AND recoverable >= 0),
            ADD CONSTRAINT ck_payment_request_approved_within_requested CHECK (approved <= requested)
        """
    )
