"""Lines of the bank are booked: what each was booked as, and what a person says of one that its references do not explain."""

from __future__ import annotations

from alembic import op

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None

ONCE = "statement_id,booked_as,order_id,batch_id,recovery_id,entry_id,matched_at,identified_at,identified_as"
KINDS = "'order', 'file', 'recovery', 'funding', 'unidentified', 'charge', 'set_aside'"


def upgrade() -> None:
    # Nothing was booked from a line until now.
    op.execute(
        f"""
        ALTER TABLE bank_line
            DROP CONSTRAINT ck_bank_line_match_whole,
            DROP CONSTRAINT ck_bank_line_order_is_debit,
            ADD COLUMN booked_as TEXT, ADD COLUMN batch_id UUID, ADD COLUMN recovery_id UUID,
            ADD COLUMN identified_at TIMESTAMP WITH TIME ZONE, ADD COLUMN identified_as TEXT,
            ADD CONSTRAINT ck_bank_line_match_whole CHECK ((booked_as IS NULL) = (matched_at IS NULL)),
            ADD CONSTRAINT ck_bank_line_booked_as_known CHECK (booked_as IN ({KINDS})),
            ADD CONSTRAINT ck_bank_line_order_is_named CHECK ((coalesce(booked_as, '') = 'order') = (order_id IS NOT NULL)),
            ADD CONSTRAINT ck_bank_line_file_is_named CHECK ((coalesce(booked_as, '') = 'file') = (batch_id IS NOT NULL)),
            ADD CONSTRAINT ck_bank_line_recovery_is_named CHECK (coalesce(booked_as, '') <> 'recovery' OR recovery_id IS NOT NULL),
            ADD CONSTRAINT ck_bank_line_booked_has_entry CHECK ((coalesce(booked_as, 'file') IN ('file', 'set_aside')) = (entry_id IS NULL)),
            ADD CONSTRAINT ck_bank_line_paid_is_debit CHECK (booked_as NOT IN ('order', 'file', 'charge') OR direction = 'debit'),
            ADD CONSTRAINT ck_bank_line_received_is_credit CHECK (booked_as NOT IN ('recovery', 'funding', 'unidentified') OR direction = 'credit'),
            ADD CONSTRAINT ck_bank_line_identified_whole CHECK ((identified_at IS NULL) = (identified_as IS NULL)),
            ADD CONSTRAINT ck_bank_line_identified_was_not CHECK (identified_at IS NULL OR booked_as = 'unidentified'),
            ADD CONSTRAINT ck_bank_line_identified_as_known CHECK (identified_as IN ('recovery', 'funding')),
            ADD CONSTRAINT fk_bank_line_batch_id FOREIGN KEY(batch_id) REFERENCES payment_batch (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_bank_line_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("CREATE INDEX ix_bank_line_recovery_id ON bank_line (recovery_id)")
    op.execute(
        "CREATE INDEX ix_bank_line_unidentified ON bank_line (booked_on, number) "
        "WHERE booked_as = 'unidentified' AND identified_at IS NULL"
    )
    op.execute("CREATE UNIQUE INDEX uq_bank_line_order ON bank_line (order_id) WHERE booked_as = 'order'")
    op.execute("CREATE UNIQUE INDEX uq_bank_line_batch ON bank_line (batch_id)")
    op.execute("DROP TRIGGER bank_line_written_once ON bank_line")
    op.execute(_guard("bank_line", ONCE, ""))
    op.execute(
        """
        CREATE TABLE bank_claim (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            line_id UUID NOT NULL,
            explained TEXT NOT NULL,
            order_id UUID,
            recovery_id UUID,
            fund_source_id UUID,
            reason TEXT NOT NULL,
            state TEXT NOT NULL,
            proposed_by UUID NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            decided_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            refuse_reason TEXT,
            CONSTRAINT pk_bank_claim PRIMARY KEY (id),
            CONSTRAINT ck_bank_claim_state_known CHECK (state IN ('proposed', 'confirmed', 'refused', 'withdrawn')),
            CONSTRAINT ck_bank_claim_explained_known CHECK (explained IN ('order', 'recovery', 'funding', 'unidentified', 'charge', 'set_aside')),
            CONSTRAINT ck_bank_claim_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_bank_claim_order_is_named CHECK ((explained = 'order') = (order_id IS NOT NULL)),
            CONSTRAINT ck_bank_claim_recovery_is_named CHECK ((explained = 'recovery') = (recovery_id IS NOT NULL)),
            CONSTRAINT ck_bank_claim_fund_is_named CHECK ((explained = 'funding') = (fund_source_id IS NOT NULL)),
            CONSTRAINT ck_bank_claim_decided_has_date CHECK ((state = 'proposed') = (decided_at IS NULL)),
            CONSTRAINT ck_bank_claim_decision_whole CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
            CONSTRAINT ck_bank_claim_decided_by_another CHECK ((state = 'withdrawn') = (decided_by = proposed_by)),
            CONSTRAINT ck_bank_claim_refused_has_reason CHECK ((state = 'refused') = (refuse_reason IS NOT NULL)),
            CONSTRAINT fk_bank_claim_line_id FOREIGN KEY(line_id) REFERENCES bank_line (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_claim_order_id FOREIGN KEY(order_id) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_claim_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_claim_fund_source_id FOREIGN KEY(fund_source_id) REFERENCES fund_source (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_claim_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_claim_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_bank_claim_line_id ON bank_claim (line_id)")
    op.execute("CREATE UNIQUE INDEX uq_bank_claim_open ON bank_claim (line_id) WHERE state = 'proposed'")
    op.execute(_guard("bank_claim", "decided_by,decided_at,refuse_reason", "state"))
    op.execute(
        """
        CREATE TRIGGER bank_claim_never_emptied BEFORE TRUNCATE ON bank_claim
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    # A receipt larger than the debt: what is above it stands among the unidentified, until it is paid back.
    op.execute(
        """
        ALTER TABLE recovery_receipt
            ADD COLUMN above BIGINT NOT NULL DEFAULT 0,
            ADD COLUMN own_account_id UUID,
            ADD CONSTRAINT ck_recovery_receipt_above_not_negative CHECK (above >= 0),
            ADD CONSTRAINT fk_recovery_receipt_own_account_id FOREIGN KEY(own_account_id) REFERENCES own_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("ALTER TABLE recovery_receipt ALTER COLUMN above DROP DEFAULT")


def _guard(table: str, once: str, free: str) -> str:
    return f"""
        CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')
        """


def downgrade() -> None:
    op.execute("ALTER TABLE recovery_receipt DROP COLUMN above, DROP COLUMN own_account_id")
    op.execute("DROP TABLE bank_claim")
    op.execute("DROP TRIGGER bank_line_written_once ON bank_line")
    op.execute("DROP INDEX uq_bank_line_order, uq_bank_line_batch, ix_bank_line_unidentified")
    op.execute(
        """
        ALTER TABLE bank_line
            DROP COLUMN booked_as, DROP COLUMN batch_id, DROP COLUMN recovery_id, DROP COLUMN identified_at, DROP COLUMN identified_as,
            ADD CONSTRAINT ck_bank_line_match_whole CHECK (num_nulls(order_id, entry_id, matched_at) IN (0, 3)),
            ADD CONSTRAINT ck_bank_line_order_is_debit CHECK (order_id IS NULL OR direction = 'debit')
        """
    )
    op.execute(_guard("bank_line", "statement_id,order_id,entry_id,matched_at", ""))
