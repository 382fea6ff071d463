"""The clock of a payment: what starts it, what stops it, and what a request passes before its decision."""

from __future__ import annotations

from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None

_STATES = "'submitted', {}'approved', 'partly_approved', 'rejected', 'cleared', 'paid'"
_BEFORE = "'returned_for_completion', 'registered', 'verified', "


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE grant_agreement
            ADD COLUMN clock_starts TEXT NOT NULL DEFAULT 'receipt',
            ADD COLUMN request_path TEXT NOT NULL DEFAULT 'decided',
            ADD CONSTRAINT ck_grant_agreement_clock_starts_known CHECK (clock_starts IN ('receipt', 'registration', 'approval')),
            ADD CONSTRAINT ck_grant_agreement_request_path_known CHECK (request_path IN ('decided', 'registered', 'verified')),
            ADD CONSTRAINT ck_grant_agreement_registration_is_made CHECK (clock_starts <> 'registration' OR request_path <> 'decided')
        """
    )
    op.execute(
        """
        ALTER TABLE grant_agreement ALTER COLUMN clock_starts DROP DEFAULT, ALTER COLUMN request_path DROP DEFAULT
        """
    )
    op.execute(
        """
        ALTER TABLE payment_request
            ADD COLUMN clock_event TEXT,
            ADD COLUMN clock_from DATE,
            ADD COLUMN first_due_on DATE,
            ADD COLUMN suspended_on DATE,
            ADD COLUMN suspension_answered_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN registered_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN registered_by UUID,
            ADD COLUMN verified_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN verified_by UUID
        """
    )
    # What the due day of each was counted from, in Brussels, as its page said it.
    op.execute(
        """
        UPDATE payment_request AS asked SET first_due_on = asked.due_on,
            clock_event = CASE WHEN asked.replaces_id IS NOT NULL THEN 'again' WHEN asked.report_id IS NULL THEN 'in_force' ELSE 'receipt' END,
            clock_from = (CASE WHEN asked.replaces_id IS NOT NULL THEN asked.submitted_at
                ELSE coalesce(report.submitted_at, agreed.in_force_at, asked.submitted_at) END AT TIME ZONE 'Europe/Brussels')::date
        FROM payment_request AS same
            JOIN grant_agreement AS agreed ON agreed.id = same.grant_id
            LEFT JOIN periodic_report AS report ON report.id = same.report_id
        WHERE same.id = asked.id
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    _states_known(_STATES.format(_BEFORE), f"'submitted', {_BEFORE.rstrip(', ')}")
    op.execute(
        """
        ALTER TABLE payment_request ALTER COLUMN first_due_on SET NOT NULL,
            ADD CONSTRAINT ck_payment_request_clock_event_known CHECK (clock_event IN ('in_force', 'receipt', 'approval', 'registration', 'again', 'completion')),
            ADD CONSTRAINT ck_payment_request_registered_has_person CHECK ((registered_at IS NULL) = (registered_by IS NULL)),
            ADD CONSTRAINT ck_payment_request_verified_has_person CHECK ((verified_at IS NULL) = (verified_by IS NULL)),
            ADD CONSTRAINT ck_payment_request_registered_has_time CHECK (state <> 'registered' OR registered_at IS NOT NULL),
            ADD CONSTRAINT ck_payment_request_verified_has_time CHECK (state <> 'verified' OR verified_at IS NOT NULL),
            ADD CONSTRAINT ck_payment_request_verifier_is_another CHECK (verified_by <> registered_by),
            ADD CONSTRAINT ck_payment_request_decider_is_another CHECK (decided_by NOT IN (registered_by, verified_by)),
            ADD CONSTRAINT ck_payment_request_clock_has_event CHECK ((clock_from IS NULL) = (clock_event IS NULL)),
            ADD CONSTRAINT ck_payment_request_clock_runs CHECK (clock_from IS NOT NULL OR state IN ('submitted', 'returned_for_completion', 'rejected')),
            ADD CONSTRAINT ck_payment_request_answered_while_suspended CHECK (suspended_on IS NOT NULL OR suspension_answered_at IS NULL),
            ADD CONSTRAINT ck_payment_request_suspension_only_adds CHECK (due_on >= first_due_on),
            ADD CONSTRAINT fk_payment_request_registered_by FOREIGN KEY(registered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_payment_request_verified_by FOREIGN KEY(verified_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        CREATE TABLE payment_suspension (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            number INTEGER NOT NULL,
            reason TEXT NOT NULL,
            notice TEXT NOT NULL,
            notified_at TIMESTAMP WITH TIME ZONE NOT NULL,
            suspended_by UUID NOT NULL,
            from_on DATE NOT NULL,
            answer TEXT,
            answered_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            until_on DATE,
            lifted_at TIMESTAMP WITH TIME ZONE,
            lifted_by UUID,
            lift_reason TEXT,
            CONSTRAINT pk_payment_suspension PRIMARY KEY (id),
            CONSTRAINT uq_payment_suspension_request_id_number UNIQUE (request_id, number),
            CONSTRAINT ck_payment_suspension_reason_known CHECK (reason IN ('not_due', 'missing_documents', 'eligibility', 'irregularity', 'visibility')),
            CONSTRAINT ck_payment_suspension_has_notice CHECK (notice <> ''),
            CONSTRAINT ck_payment_suspension_in_order CHECK (until_on >= from_on),
            CONSTRAINT ck_payment_suspension_lifted_whole CHECK (num_nulls(until_on, lifted_at, lifted_by, lift_reason) IN (0, 4)),
            CONSTRAINT ck_payment_suspension_answered_whole CHECK (num_nulls(answer, answered_at, answered_by) IN (0, 3)),
            CONSTRAINT fk_payment_suspension_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_suspension_suspended_by FOREIGN KEY(suspended_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_suspension_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_suspension_lifted_by FOREIGN KEY(lifted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_payment_suspension_one_open ON payment_suspension (request_id) WHERE until_on IS NULL
        """
    )
    op.execute(
        """
        CREATE TABLE payment_return (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            number INTEGER NOT NULL,
            words TEXT NOT NULL,
            returned_at TIMESTAMP WITH TIME ZONE NOT NULL,
            returned_by UUID NOT NULL,
            answer TEXT,
            answered_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            CONSTRAINT pk_payment_return PRIMARY KEY (id),
            CONSTRAINT uq_payment_return_request_id_number UNIQUE (request_id, number),
            CONSTRAINT ck_payment_return_has_words CHECK (words <> ''),
            CONSTRAINT ck_payment_return_answered_whole CHECK (num_nulls(answer, answered_at, answered_by) IN (0, 3)),
            CONSTRAINT fk_payment_return_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_return_returned_by FOREIGN KEY(returned_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_return_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_payment_return_one_open ON payment_return (request_id) WHERE answered_at IS NULL
        """
    )
    op.execute(
        """
        CREATE TABLE payment_verification (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            number INTEGER NOT NULL,
            verified_at TIMESTAMP WITH TIME ZONE NOT NULL,
            verified_by UUID NOT NULL,
            evidence JSONB NOT NULL,
            note TEXT,
            CONSTRAINT pk_payment_verification PRIMARY KEY (id),
            CONSTRAINT uq_payment_verification_request_id_number UNIQUE (request_id, number),
            CONSTRAINT fk_payment_verification_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_verification_verified_by FOREIGN KEY(verified_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_return_written_once BEFORE UPDATE OR DELETE ON payment_return FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('answer,answered_at,answered_by', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_return_never_emptied BEFORE TRUNCATE ON payment_return FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_suspension_written_once BEFORE UPDATE OR DELETE ON payment_suspension FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('answer,answered_at,answered_by,until_on,lifted_at,lifted_by,lift_reason', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_suspension_never_emptied BEFORE TRUNCATE ON payment_suspension FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_verification_written_once BEFORE UPDATE OR DELETE ON payment_verification FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_verification_never_emptied BEFORE TRUNCATE ON payment_verification FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
CREATE OR REPLACE FUNCTION check_request_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
BEGIN
  IF NEW.state <> 'paid' AND NOT (OLD.state = 'verified' AND NEW.state = 'registered')
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request % is suspended: it cannot become %', NEW.id, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('approved', 'partly_approved') THEN
    SELECT request_path INTO path FROM grant_agreement WHERE id = NEW.grant_id;
    IF (path <> 'decided' AND NEW.registered_at IS NULL) OR (path = 'verified' AND NEW.verified_at IS NULL) THEN
      RAISE EXCEPTION 'payment request % is not yet %', NEW.id, path USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$
"""
    )
    op.execute(
        """
CREATE OR REPLACE FUNCTION check_order_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state IN ('in_file', 'sent') OR (NEW.state = 'authorised' AND OLD.state = 'verified'))
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment order % belongs to a suspended request: it cannot become %', NEW.id, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
    )
    op.execute(
        """
CREATE OR REPLACE FUNCTION check_suspensions_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM payment_suspension other WHERE other.request_id = NEW.request_id AND other.id <> NEW.id
      AND other.from_on < coalesce(NEW.until_on, 'infinity') AND NEW.from_on < coalesce(other.until_on, 'infinity')
  ) THEN
    RAISE EXCEPTION 'suspensions of payment request % overlap', NEW.request_id USING ERRCODE = 'exclusion_violation';
  END IF;
  IF (SELECT suspended_on FROM payment_request WHERE id = NEW.request_id) IS DISTINCT FROM
    (SELECT from_on FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request % does not say since when it is suspended', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
    )
    op.execute(
        """
        CREATE TRIGGER payment_request_may_move BEFORE UPDATE OF state ON payment_request FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_request_may_move()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_order_may_move BEFORE UPDATE OF state ON payment_order FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_order_may_move()
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER payment_suspension_apart AFTER INSERT OR UPDATE ON payment_suspension DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_suspensions_apart()
        """
    )


def _states_known(states: str, undecided: str) -> None:
    op.execute(
        f"""
        ALTER TABLE payment_request
            DROP CONSTRAINT ck_payment_request_state_known,
            DROP CONSTRAINT ck_payment_request_decided_has_time,
            DROP CONSTRAINT ck_payment_request_approved_has_amount,
            ADD CONSTRAINT ck_payment_request_state_known CHECK (state IN ({states})),
            ADD CONSTRAINT ck_payment_request_decided_has_time CHECK ((state IN ({undecided})) = (decided_at IS NULL)),
            ADD CONSTRAINT ck_payment_request_approved_has_amount CHECK ((state IN ({undecided}, 'rejected')) = (approved IS NULL))
        """
    )


def downgrade() -> None:
    # A payment that is suspended would be paid, and what was registered or verified would be decided without.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM payment_suspension) OR EXISTS (SELECT FROM payment_return)
                OR EXISTS (SELECT FROM payment_request WHERE registered_at IS NOT NULL OR clock_from IS NULL)
                OR EXISTS (SELECT FROM grant_agreement WHERE request_path <> 'decided' OR clock_starts <> 'receipt') THEN
                RAISE EXCEPTION 'what stopped and what passed payment requests would be lost';
            END IF;
        END $$
        """
    )
    op.execute("DROP TRIGGER payment_request_may_move ON payment_request")
    op.execute("DROP TRIGGER payment_order_may_move ON payment_order")
    op.execute("DROP TABLE payment_verification, payment_return, payment_suspension")
    for name in ("check_request_may_move", "check_order_may_move", "check_suspensions_apart"):
        op.execute(f"DROP FUNCTION {name}()")
    op.execute(
        """
        ALTER TABLE payment_request
            DROP COLUMN clock_event, DROP COLUMN clock_from, DROP COLUMN first_due_on, DROP COLUMN registered_at,
            DROP COLUMN suspended_on, DROP COLUMN suspension_answered_at,
            DROP COLUMN registered_by, DROP COLUMN verified_at, DROP COLUMN verified_by
        """
    )
    _states_known(_STATES.format(""), "'submitted'")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN clock_starts, DROP COLUMN request_path")
