"""Interest the programme owes for late payment, and approved pre-financing that is cancelled unpaid."""

from __future__ import annotations

from alembic import op

revision = "0132"
down_revision = "0131"
branch_labels = None
depends_on = None

EVENTS = (
    "'E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7', 'E8', 'E9a', 'E9b', 'E9c', 'E10', 'E11', 'E11b', 'E12', 'E13', 'E14', 'E15', "
    "'E16', 'E17', 'E18', 'E19', 'E20', 'E21', 'E22', 'E23', 'E24', 'E25', 'E26'"
)
FIRST = "'B000', 'B100', 'B200', 'B300', 'B310', 'B400', '1000', '1050', "
REST = (
    "'1100', '1200', '1210', '1220', '2000', '2100', '2200', '2300', '2400', '3000', '4100', '5000', '5100', '5200', '5300', "
    "'M000', 'M100', 'M200'"
)
STATES = "'submitted', 'returned_for_completion', 'registered', 'verified', 'approved', 'partly_approved', 'rejected', 'cleared', 'paid'"
KINDS = "'prefinancing', 'interim', 'balance'"
CLOCKS = "'in_force', 'receipt', 'approval', 'registration', 'again', 'completion'"
WITHIN_REQUEST = """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> ALL (payment_order_states_let_go());
  SELECT ordered + coalesce(sum(amount), 0) INTO ordered FROM payment_offset WHERE request_id = NEW.request_id;
%s  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders and offsets of payment request %% sum to %% cents; %% are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
CANCELLED = "  SELECT ordered + coalesce(sum(amount), 0) INTO ordered FROM payment_cancellation WHERE request_id = NEW.request_id;\n"
TERMINAL = """
CREATE OR REPLACE FUNCTION payment_terminal_states(kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'payment_order' THEN ARRAY['returned', 'cancelled']
    WHEN 'payment_request' THEN ARRAY[{request}]
    WHEN 'recovery' THEN ARRAY['paid', 'waived', 'cancelled']
    WHEN 'grant_agreement' THEN ARRAY['closed', 'dropped']
  END
$$
"""
FLOOR = """
CREATE CONSTRAINT TRIGGER ledger_leg_floor AFTER INSERT ON ledger_leg DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.call_id IS NOT NULL AND NEW.side = 'credit' AND NEW.account IN ('B100', 'B200', 'B300') OR NEW.call_id IS NOT NULL AND NEW.side = 'debit' AND NEW.account IN ('B000') OR NEW.grant_id IS NOT NULL AND NEW.side = 'credit' AND NEW.account IN ('B310', 'B400', '1100', '1200', '1210', '5000', 'M100') OR NEW.grant_id IS NOT NULL AND NEW.side = 'debit' AND NEW.account IN ({debit}))
EXECUTE FUNCTION check_ledger_floor()
"""


def known(*, events: str, accounts: str, states: str, kinds: str, clocks: str, opened: str) -> None:
    """What the columns may say."""
    for table, name, check in (
        ("ledger_entry", "event_known", f"event IN ({events})"),
        ("ledger_leg", "account_known", f"account IN ({accounts})"),
        ("payment_request", "state_known", f"state IN ({states})"),
        ("payment_request", "kind_known", f"kind IN ({kinds})"),
        ("payment_request", "clock_event_known", f"clock_event IN ({clocks})"),
        ("payment_request", "report_opens_it", opened),
        ("payment_schedule_line", "kind_known", f"kind IN ({kinds})"),
    ):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({check})")


def floors(debit: str) -> None:
    op.execute("DROP TRIGGER ledger_leg_floor ON ledger_leg")
    op.execute(FLOOR.format(debit=debit))


def upgrade() -> None:
    known(
        events=f"{EVENTS}, 'E27'",
        accounts=f"{FIRST}'1055', {REST}",
        states=f"{STATES}, 'cancelled'",
        kinds=f"{KINDS}, 'late_interest'",
        clocks=f"{CLOCKS}, 'interest'",
        opened="(kind IN ('interim', 'balance')) = (report_id IS NOT NULL)",
    )
    floors("'1050', '1055', '2000', '2100', '2200', '2300'")
    op.execute(TERMINAL.format(request="'rejected', 'cleared', 'cancelled'"))
    op.execute(
        """
        CREATE TABLE payment_cancellation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            amount BIGINT NOT NULL,
            retained BIGINT NOT NULL,
            reason TEXT NOT NULL,
            cancelled_on DATE NOT NULL,
            cancelled_by UUID NOT NULL,
            CONSTRAINT pk_payment_cancellation PRIMARY KEY (id),
            CONSTRAINT uq_payment_cancellation_request_id UNIQUE (request_id),
            CONSTRAINT ck_payment_cancellation_amounts_positive CHECK (amount > 0 AND retained >= 0),
            CONSTRAINT ck_payment_cancellation_has_reason CHECK (reason <> ''),
            CONSTRAINT fk_payment_cancellation_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_cancellation_cancelled_by FOREIGN KEY(cancelled_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER payment_cancellation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_cancellation "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(WITHIN_REQUEST % CANCELLED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER payment_cancellation_within_request AFTER INSERT ON payment_cancellation "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_orders_within_request()"
    )
    _late_interest()


def _late_interest() -> None:
    op.execute(
        """
        CREATE TABLE late_interest (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            order_id UUID NOT NULL,
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
            reckoned BIGINT NOT NULL,
            minimum BIGINT NOT NULL,
            public_rule TEXT NOT NULL,
            asked_on DATE,
            nothing TEXT,
            amount BIGINT NOT NULL,
            booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
            booked_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_by UUID,
            refuse_reason TEXT,
            paying_id UUID,
            CONSTRAINT pk_late_interest PRIMARY KEY (id),
            CONSTRAINT ck_late_interest_state_known CHECK (state IN ('proposed', 'confirmed', 'refused')),
            CONSTRAINT ck_late_interest_public_rule_known CHECK (public_rule IN ('none_to_public', 'owed_to_all')),
            CONSTRAINT ck_late_interest_nothing_known CHECK (nothing IN ('public', 'small')),
            CONSTRAINT ck_late_interest_amounts_positive CHECK (principal > 0 AND reckoned >= 0 AND minimum >= 0),
            CONSTRAINT ck_late_interest_owed_or_why_not CHECK (amount = CASE WHEN nothing IS NULL THEN reckoned ELSE 0 END),
            CONSTRAINT ck_late_interest_days_counted CHECK (days > 0 AND days = paid_on - due_on),
            CONSTRAINT ck_late_interest_day_count_known CHECK (day_count IN (360, 365)),
            CONSTRAINT ck_late_interest_margin_not_negative CHECK (margin ~ '^\\d+(\\.\\d+)?$'),
            CONSTRAINT ck_late_interest_reference_is_number CHECK (reference ~ '^-?\\d+(\\.\\d+)?$'),
            CONSTRAINT ck_late_interest_decided_by_another CHECK (decided_by <> booked_by),
            CONSTRAINT ck_late_interest_decided_has_person CHECK ((state = 'proposed') = (decided_by IS NULL)),
            CONSTRAINT ck_late_interest_decision_whole CHECK (num_nulls(decided_at, decided_by) IN (0, 2)),
            CONSTRAINT ck_late_interest_owed_is_paid CHECK ((state = 'confirmed' AND amount > 0) = (paying_id IS NOT NULL)),
            CONSTRAINT uq_late_interest_paying_id UNIQUE (paying_id),
            CONSTRAINT fk_late_interest_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_late_interest_order_id FOREIGN KEY(order_id) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_late_interest_booked_by FOREIGN KEY(booked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_late_interest_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_late_interest_paying_id FOREIGN KEY(paying_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_late_interest_request_id ON late_interest (request_id)")
    op.execute("CREATE UNIQUE INDEX uq_late_interest_order ON late_interest (order_id) WHERE state != 'refused'")
    op.execute(
        "CREATE TRIGGER late_interest_written_once BEFORE UPDATE OR DELETE ON late_interest "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('decided_at,decided_by,refuse_reason,paying_id', 'state')"
    )
    op.execute(
        "CREATE TRIGGER late_interest_never_emptied BEFORE TRUNCATE ON late_interest "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM payment_cancellation) OR EXISTS (SELECT FROM late_interest) THEN
            RAISE EXCEPTION 'interest was reckoned or pre-financing cancelled: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE late_interest")
    op.execute("DROP TABLE payment_cancellation")
    op.execute(WITHIN_REQUEST % "")
    op.execute(TERMINAL.format(request="'rejected', 'cleared'"))
    floors("'1050', '2000', '2100', '2200', '2300'")
    known(
        events=EVENTS,
        accounts=f"{FIRST}{REST}",
        states=STATES,
        kinds=KINDS,
        clocks=CLOCKS,
        opened="(kind = 'prefinancing') = (report_id IS NULL)",
    )
