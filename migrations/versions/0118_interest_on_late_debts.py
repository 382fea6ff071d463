"""Interest on debts that were paid late, and what of it is waived."""

from __future__ import annotations

from alembic import op

revision = "0118"
down_revision = "0117"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE recovery_receipt ADD COLUMN interest BIGINT NOT NULL DEFAULT 0")
    op.execute(
        """
        ALTER TABLE recovery_receipt ALTER COLUMN interest DROP DEFAULT,
            DROP CONSTRAINT ck_recovery_receipt_amount_positive,
            ADD CONSTRAINT ck_recovery_receipt_amount_positive CHECK (amount >= 0 AND interest >= 0 AND amount + interest > 0)
        """
    )
    op.execute(
        """
        CREATE TABLE recovery_interest (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            recovery_id UUID NOT NULL,
            receipt_id UUID,
            offset_id UUID,
            state TEXT NOT NULL,
            principal BIGINT NOT NULL,
            due_on DATE NOT NULL,
            paid_on DATE NOT NULL,
            days INTEGER NOT NULL,
            reference_on DATE NOT NULL,
            reference TEXT NOT NULL,
            table_number INTEGER NOT NULL,
            margin TEXT NOT NULL,
            day_count INTEGER NOT NULL,
            amount BIGINT NOT NULL,
            booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
            booked_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_by UUID,
            CONSTRAINT pk_recovery_interest PRIMARY KEY (id),
            CONSTRAINT ck_recovery_interest_state_known CHECK (state IN ('proposed', 'confirmed', 'refused')),
            CONSTRAINT ck_recovery_interest_of_one_payment CHECK (num_nonnulls(receipt_id, offset_id) = 1),
            CONSTRAINT ck_recovery_interest_amounts_positive CHECK (amount >= 0 AND principal > 0),
            CONSTRAINT ck_recovery_interest_days_counted CHECK (days > 0 AND days = paid_on - due_on),
            CONSTRAINT ck_recovery_interest_day_count_known CHECK (day_count IN (360, 365)),
            CONSTRAINT ck_recovery_interest_margin_not_negative CHECK (margin ~ '^\\d+(\\.\\d+)?$'),
            CONSTRAINT ck_recovery_interest_reference_is_number CHECK (reference ~ '^-?\\d+(\\.\\d+)?$'),
            CONSTRAINT ck_recovery_interest_decided_by_another CHECK (decided_by <> booked_by),
            CONSTRAINT ck_recovery_interest_decided_has_person CHECK ((state = 'proposed') = (decided_by IS NULL)),
            CONSTRAINT ck_recovery_interest_decision_whole CHECK (num_nulls(decided_at, decided_by) IN (0, 2)),
            CONSTRAINT fk_recovery_interest_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_interest_receipt_id FOREIGN KEY(receipt_id) REFERENCES recovery_receipt (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_interest_offset_id FOREIGN KEY(offset_id) REFERENCES payment_offset (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_interest_booked_by FOREIGN KEY(booked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_interest_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE interest_waiver (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            recovery_id UUID NOT NULL,
            amount BIGINT NOT NULL,
            reason TEXT NOT NULL,
            file_id UUID NOT NULL,
            waived_at TIMESTAMP WITH TIME ZONE NOT NULL,
            waived_by UUID NOT NULL,
            CONSTRAINT pk_interest_waiver PRIMARY KEY (id),
            CONSTRAINT ck_interest_waiver_amount_positive CHECK (amount > 0),
            CONSTRAINT fk_interest_waiver_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_interest_waiver_file_id FOREIGN KEY(file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_interest_waiver_waived_by FOREIGN KEY(waived_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_recovery_interest_recovery_id ON recovery_interest (recovery_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_recovery_interest_receipt ON recovery_interest (receipt_id) WHERE state != 'refused'"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_recovery_interest_offset ON recovery_interest (offset_id) WHERE state != 'refused'"
    )
    op.execute("CREATE INDEX ix_interest_waiver_recovery_id ON interest_waiver (recovery_id)")
    op.execute(
        "CREATE TRIGGER interest_waiver_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON interest_waiver "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER recovery_interest_written_once BEFORE UPDATE OR DELETE ON recovery_interest "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('decided_at,decided_by', 'state')"
    )
    op.execute(
        "CREATE TRIGGER recovery_interest_never_emptied BEFORE TRUNCATE ON recovery_interest "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM recovery_interest) OR EXISTS (SELECT FROM recovery_receipt WHERE interest > 0) THEN
            RAISE EXCEPTION 'interest was reckoned: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE interest_waiver")
    op.execute("DROP TABLE recovery_interest")
    op.execute(
        """
        ALTER TABLE recovery_receipt DROP CONSTRAINT ck_recovery_receipt_amount_positive, DROP COLUMN interest,
            ADD CONSTRAINT ck_recovery_receipt_amount_positive CHECK (amount > 0)
        """
    )
