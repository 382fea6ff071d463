"""The programme's own bank accounts: entered by one person, confirmed by another, written once."""

from __future__ import annotations

from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE own_account (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            programme_id UUID NOT NULL,
            reference TEXT NOT NULL,
            holder TEXT NOT NULL,
            iban TEXT NOT NULL,
            bic TEXT,
            country TEXT NOT NULL,
            town TEXT NOT NULL,
            postcode TEXT,
            street TEXT,
            building TEXT,
            currency TEXT NOT NULL,
            state TEXT NOT NULL,
            entered_by UUID NOT NULL,
            entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            evidence TEXT,
            closed_by UUID,
            closed_at TIMESTAMP WITH TIME ZONE,
            close_reason TEXT,
            CONSTRAINT pk_own_account PRIMARY KEY (id),
            CONSTRAINT ck_own_account_state_known CHECK (state IN ('proposed', 'confirmed', 'closed')),
            CONSTRAINT ck_own_account_iban_form CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
            CONSTRAINT ck_own_account_country_form CHECK (country ~ '^[A-Z]{2}$'),
            CONSTRAINT ck_own_account_currency_is_euro CHECK (currency = 'EUR'),
            CONSTRAINT ck_own_account_confirmation_whole CHECK (num_nulls(confirmed_by, confirmed_at, evidence) IN (0, 3)),
            CONSTRAINT ck_own_account_closing_whole CHECK (num_nulls(closed_by, closed_at, close_reason) IN (0, 3)),
            CONSTRAINT ck_own_account_confirmed_has_person CHECK (state <> 'confirmed' OR confirmed_by IS NOT NULL),
            CONSTRAINT ck_own_account_proposed_has_none CHECK (state <> 'proposed' OR confirmed_by IS NULL),
            CONSTRAINT ck_own_account_closed_has_person CHECK ((state = 'closed') = (closed_by IS NOT NULL)),
            CONSTRAINT ck_own_account_confirmed_by_another CHECK (confirmed_by <> entered_by),
            CONSTRAINT fk_own_account_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_own_account_reference UNIQUE (reference),
            CONSTRAINT fk_own_account_entered_by FOREIGN KEY(entered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_own_account_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_own_account_closed_by FOREIGN KEY(closed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_own_account_programme_id ON own_account (programme_id)")
    # A statement of the bank names its account by the number alone.
    op.execute("CREATE UNIQUE INDEX uq_own_account_iban ON own_account (iban) WHERE state != 'closed'")
    op.execute(
        """
        CREATE TRIGGER own_account_written_once BEFORE UPDATE OR DELETE ON own_account FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at,evidence,closed_by,closed_at,close_reason', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER own_account_never_emptied BEFORE TRUNCATE ON own_account
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE own_account")
