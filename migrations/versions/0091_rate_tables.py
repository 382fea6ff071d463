"""Published files of exchange and reference rates, and what each brought."""

from __future__ import annotations

from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE rate_table (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            number INTEGER NOT NULL,
            state TEXT NOT NULL,
            source TEXT NOT NULL,
            month DATE,
            file_id UUID NOT NULL,
            imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
            imported_by UUID NOT NULL,
            accepted_at TIMESTAMP WITH TIME ZONE,
            accepted_by UUID,
            words TEXT,
            first_on DATE,
            last_on DATE,
            added INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            problems JSONB NOT NULL,
            flags JSONB NOT NULL,
            CONSTRAINT pk_rate_table PRIMARY KEY (id),
            CONSTRAINT uq_rate_table_kind_number UNIQUE (kind, number),
            CONSTRAINT ck_rate_table_kind_known CHECK (kind IN ('ecb_daily', 'inforeuro', 'reference')),
            CONSTRAINT ck_rate_table_state_known CHECK (state IN ('received', 'read', 'refused', 'standing', 'discarded')),
            CONSTRAINT ck_rate_table_month_is_first_day CHECK (extract(day FROM month) = 1),
            CONSTRAINT ck_rate_table_counts_not_negative CHECK (added >= 0 AND changed >= 0),
            CONSTRAINT ck_rate_table_days_whole CHECK (num_nulls(first_on, last_on) IN (0, 2)),
            CONSTRAINT ck_rate_table_acceptance_whole CHECK (num_nulls(accepted_at, accepted_by) IN (0, 2)),
            CONSTRAINT ck_rate_table_settled_has_person CHECK ((state IN ('standing', 'discarded')) = (accepted_at IS NOT NULL)),
            CONSTRAINT ck_rate_table_standing_has_rates CHECK (state <> 'standing' OR first_on IS NOT NULL),
            CONSTRAINT ck_rate_table_flags_have_words CHECK (state <> 'standing' OR jsonb_array_length(flags) = 0 OR words IS NOT NULL),
            CONSTRAINT uq_rate_table_file_id UNIQUE (file_id),
            CONSTRAINT fk_rate_table_file_id FOREIGN KEY(file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_rate_table_imported_by FOREIGN KEY(imported_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_rate_table_accepted_by FOREIGN KEY(accepted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE rate_series (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            table_id UUID NOT NULL,
            currency TEXT NOT NULL,
            first_on DATE NOT NULL,
            last_on DATE NOT NULL,
            rates JSONB NOT NULL,
            CONSTRAINT pk_rate_series PRIMARY KEY (id),
            CONSTRAINT uq_rate_series_table_id_currency UNIQUE (table_id, currency),
            CONSTRAINT ck_rate_series_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
            CONSTRAINT ck_rate_series_days_in_order CHECK (first_on <= last_on),
            CONSTRAINT fk_rate_series_table_id FOREIGN KEY(table_id) REFERENCES rate_table (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE INDEX ix_rate_series_currency_last_on ON rate_series (currency, last_on)
        """
    )
    op.execute(
        """
        CREATE TRIGGER rate_series_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rate_series FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER rate_table_written_once BEFORE UPDATE OR DELETE ON rate_table FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('accepted_at,accepted_by,words,first_on,last_on', 'state,added,changed,problems,flags')
        """
    )
    op.execute(
        """
        CREATE TRIGGER rate_table_never_emptied BEFORE TRUNCATE ON rate_table FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE rate_series")
    op.execute("DROP TABLE rate_table")
