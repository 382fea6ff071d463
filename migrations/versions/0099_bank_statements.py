"""What the bank told: the files that were brought, the statements in them, and every line once."""

from __future__ import annotations

from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE bank_import (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number BIGINT GENERATED ALWAYS AS IDENTITY,
            reference TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            state TEXT NOT NULL,
            uploaded_by UUID NOT NULL,
            uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            problem TEXT,
            lines_new INTEGER,
            lines_known INTEGER,
            CONSTRAINT pk_bank_import PRIMARY KEY (id),
            CONSTRAINT ck_bank_import_state_known CHECK (state IN ('reading', 'imported', 'refused')),
            CONSTRAINT ck_bank_import_kind_known CHECK (kind IN ('camt.053', 'camt.054')),
            CONSTRAINT ck_bank_import_refused_has_problem CHECK ((state = 'refused') = (problem IS NOT NULL)),
            CONSTRAINT ck_bank_import_imported_has_lines CHECK ((state = 'imported') = (lines_new IS NOT NULL)),
            CONSTRAINT ck_bank_import_lines_whole CHECK (num_nulls(lines_new, lines_known) IN (0, 2)),
            CONSTRAINT ck_bank_import_lines_not_negative CHECK (lines_new >= 0 AND lines_known >= 0),
            CONSTRAINT uq_bank_import_number UNIQUE (number),
            CONSTRAINT uq_bank_import_reference UNIQUE (reference),
            CONSTRAINT fk_bank_import_uploaded_by FOREIGN KEY(uploaded_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_bank_import_sha256 ON bank_import (sha256) WHERE state != 'refused'")
    op.execute(
        """
        CREATE TRIGGER bank_import_written_once BEFORE UPDATE OR DELETE ON bank_import FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('problem,lines_new,lines_known', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER bank_import_never_emptied BEFORE TRUNCATE ON bank_import
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TABLE bank_statement (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            own_account_id UUID NOT NULL,
            import_id UUID NOT NULL,
            previous_id UUID,
            position INTEGER NOT NULL,
            identifier TEXT NOT NULL,
            bank_number TEXT NOT NULL,
            from_on DATE NOT NULL,
            to_on DATE NOT NULL,
            opening BIGINT NOT NULL,
            closing BIGINT NOT NULL,
            lines INTEGER NOT NULL,
            CONSTRAINT pk_bank_statement PRIMARY KEY (id),
            CONSTRAINT uq_bank_statement_own_account_id_position UNIQUE (own_account_id, position),
            CONSTRAINT uq_bank_statement_previous_id UNIQUE (previous_id),
            CONSTRAINT ck_bank_statement_first_follows_none CHECK ((position = 1) = (previous_id IS NULL)),
            CONSTRAINT ck_bank_statement_days_in_order CHECK (from_on <= to_on),
            CONSTRAINT ck_bank_statement_counts_not_negative CHECK (position > 0 AND lines >= 0),
            CONSTRAINT fk_bank_statement_own_account_id FOREIGN KEY(own_account_id) REFERENCES own_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_statement_import_id FOREIGN KEY(import_id) REFERENCES bank_import (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_statement_previous_id FOREIGN KEY(previous_id) REFERENCES bank_statement (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_bank_statement_import_id ON bank_statement (import_id)")
    op.execute(
        """
        CREATE TRIGGER bank_statement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statement
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TABLE bank_line (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number BIGINT GENERATED ALWAYS AS IDENTITY,
            own_account_id UUID NOT NULL,
            import_id UUID NOT NULL,
            statement_id UUID,
            line_key TEXT NOT NULL,
            amount BIGINT NOT NULL,
            direction TEXT NOT NULL,
            is_reversal BOOLEAN NOT NULL,
            booked_on DATE NOT NULL,
            value_on DATE,
            bank_reference TEXT NOT NULL,
            end_to_end_id TEXT NOT NULL,
            instruction_id TEXT NOT NULL,
            payment_id TEXT NOT NULL,
            transaction_code TEXT NOT NULL,
            return_reason TEXT NOT NULL,
            counterparty TEXT NOT NULL,
            counterparty_iban TEXT NOT NULL,
            remittance TEXT NOT NULL,
            parts INTEGER NOT NULL,
            order_id UUID,
            entry_id UUID,
            matched_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_bank_line PRIMARY KEY (id),
            CONSTRAINT uq_bank_line_own_account_id_line_key UNIQUE (own_account_id, line_key),
            CONSTRAINT ck_bank_line_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_bank_line_direction_known CHECK (direction IN ('credit', 'debit')),
            CONSTRAINT ck_bank_line_line_key_form CHECK (line_key ~ '^[0-9a-f]{64}$'),
            CONSTRAINT ck_bank_line_parts_positive CHECK (parts > 0),
            CONSTRAINT ck_bank_line_match_whole CHECK (num_nulls(order_id, entry_id, matched_at) IN (0, 3)),
            CONSTRAINT ck_bank_line_order_is_debit CHECK (order_id IS NULL OR direction = 'debit'),
            CONSTRAINT uq_bank_line_number UNIQUE (number),
            CONSTRAINT fk_bank_line_own_account_id FOREIGN KEY(own_account_id) REFERENCES own_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_line_import_id FOREIGN KEY(import_id) REFERENCES bank_import (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_line_statement_id FOREIGN KEY(statement_id) REFERENCES bank_statement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_line_order_id FOREIGN KEY(order_id) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_bank_line_entry_id UNIQUE (entry_id),
            CONSTRAINT fk_bank_line_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_bank_line_account_day ON bank_line (own_account_id, booked_on, number)")
    op.execute("CREATE INDEX ix_bank_line_import_id ON bank_line (import_id)")
    op.execute("CREATE INDEX ix_bank_line_order_id ON bank_line (order_id)")
    op.execute("CREATE INDEX ix_bank_line_statement ON bank_line (statement_id, booked_on, number)")
    op.execute("CREATE INDEX ix_bank_line_unmatched ON bank_line (booked_on, number) WHERE matched_at IS NULL")
    op.execute(
        """
        CREATE TRIGGER bank_line_written_once BEFORE UPDATE OR DELETE ON bank_line FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('statement_id,order_id,entry_id,matched_at', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER bank_line_never_emptied BEFORE TRUNCATE ON bank_line
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE bank_line")
    op.execute("DROP TABLE bank_statement")
    op.execute("DROP TABLE bank_import")
