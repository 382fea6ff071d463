"""Payee accounts come with evidence, a check by another way and an address; a new one waits; replaced ones say who and when.

Rows of before stand as they were taken: what was not asked for then is not asked of them.
"""

from __future__ import annotations

from alembic import op

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None

ONCE = (
    "confirmed_by,confirmed_at,evidence,channel,checked_on,payee_match,payee_match_name,payee_matched_on,"
    "ended_by,ended_at,end_reason"
)
COLUMNS = (
    *(
        "town",
        "country_code",
        "postcode",
        "street",
        "building",
        "asks_evidence",
        "evidence_on",
        "channel",
        "checked_on",
    ),
    *("payee_match", "payee_match_name", "payee_matched_on", "ended_by", "ended_at", "end_reason"),
)


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE bank_account
            ADD COLUMN town TEXT,
            ADD COLUMN country_code TEXT,
            ADD COLUMN postcode TEXT,
            ADD COLUMN street TEXT,
            ADD COLUMN building TEXT,
            ADD COLUMN asks_evidence BOOLEAN NOT NULL DEFAULT false,
            ADD COLUMN evidence_on DATE,
            ADD COLUMN channel TEXT,
            ADD COLUMN checked_on DATE,
            ADD COLUMN payee_match TEXT,
            ADD COLUMN payee_match_name TEXT,
            ADD COLUMN payee_matched_on DATE,
            ADD COLUMN ended_by UUID,
            ADD COLUMN ended_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN end_reason TEXT,
            ADD CONSTRAINT ck_bank_account_entered_whole CHECK (
                NOT asks_evidence OR (evidence_on IS NOT NULL AND town IS NOT NULL AND country_code IS NOT NULL)),
            ADD CONSTRAINT ck_bank_account_checked_whole CHECK (
                NOT asks_evidence OR confirmed_at IS NULL
                OR (channel IS NOT NULL AND checked_on IS NOT NULL AND evidence IS NOT NULL AND payee_match IS NOT NULL)),
            ADD CONSTRAINT ck_bank_account_no_match_not_confirmed CHECK (confirmed_at IS NULL OR payee_match <> 'no_match'),
            ADD CONSTRAINT ck_bank_account_close_match_has_name CHECK (
                (payee_match = 'close_match') = (payee_match_name IS NOT NULL)),
            ADD CONSTRAINT ck_bank_account_match_has_day CHECK (
                (payee_match IN ('match', 'close_match')) = (payee_matched_on IS NOT NULL)),
            ADD CONSTRAINT ck_bank_account_ended_has_person CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
            ADD CONSTRAINT ck_bank_account_ended_has_time CHECK (
                NOT asks_evidence OR (state IN ('replaced', 'refused')) = (ended_at IS NOT NULL)),
            ADD CONSTRAINT ck_bank_account_refused_has_reason CHECK (
                NOT asks_evidence OR state <> 'refused' OR end_reason IS NOT NULL),
            ADD CONSTRAINT ck_bank_account_country_code_form CHECK (country_code ~ '^[A-Z]{2}$'),
            ADD CONSTRAINT ck_bank_account_channel_known CHECK (channel IN ('letter', 'call_back', 'register', 'in_person')),
            ADD CONSTRAINT ck_bank_account_payee_match_known CHECK (
                payee_match IN ('match', 'close_match', 'no_match', 'not_possible')),
            ADD CONSTRAINT fk_bank_account_ended_by FOREIGN KEY (ended_by) REFERENCES user_account (id)
                DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("ALTER TABLE bank_account ALTER COLUMN asks_evidence DROP DEFAULT")
    op.execute("CREATE INDEX ix_bank_account_iban ON bank_account (iban)")
    _guard(ONCE)
    op.execute(
        """
        CREATE TABLE account_waiting (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            programme_id UUID NOT NULL,
            number INTEGER NOT NULL,
            starts_on DATE NOT NULL,
            days INTEGER NOT NULL,
            marked_days INTEGER NOT NULL,
            reason TEXT NOT NULL,
            set_by UUID NOT NULL,
            set_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_account_waiting PRIMARY KEY (id),
            CONSTRAINT uq_account_waiting_programme_id_number UNIQUE (programme_id, number),
            CONSTRAINT ck_account_waiting_days_in_range CHECK (days BETWEEN 0 AND 90 AND marked_days BETWEEN 0 AND 90),
            CONSTRAINT ck_account_waiting_has_reason CHECK (reason <> ''),
            CONSTRAINT fk_account_waiting_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_account_waiting_set_by FOREIGN KEY(set_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER account_waiting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_waiting "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE FUNCTION refuse_own_account() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (
            SELECT FROM bank_account WHERE id = NEW.bank_account_id
              AND (entered_by IN (NEW.verified_by, NEW.authorised_by) OR confirmed_by IN (NEW.verified_by, NEW.authorised_by))
          ) THEN
            RAISE EXCEPTION 'payment order %: who entered or confirmed its bank account neither verifies nor authorises it', NEW.reference
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER payment_order_no_own_account AFTER INSERT OR UPDATE OF bank_account_id, verified_by, authorised_by "
        "ON payment_order FOR EACH ROW EXECUTE FUNCTION refuse_own_account()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER payment_order_no_own_account ON payment_order")
    op.execute("DROP FUNCTION refuse_own_account()")
    op.execute("DROP TABLE account_waiting")
    op.execute("DROP INDEX ix_bank_account_iban")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(f"ALTER TABLE bank_account {', '.join(f'DROP COLUMN {name}' for name in COLUMNS)}")
    _guard("confirmed_by,confirmed_at,evidence")


def _guard(once: str) -> None:
    """The trigger that lets the state move, and each of these be filled one time."""
    op.execute("DROP TRIGGER bank_account_written_once ON bank_account")
    op.execute(
        "CREATE TRIGGER bank_account_written_once BEFORE UPDATE OR DELETE ON bank_account "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{once}', 'state')"
    )
