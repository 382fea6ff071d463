"""Payments that the bank rejects or returns, orders that issue them again, and what status reports say."""

from __future__ import annotations

from alembic import op

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None

LEFT = "'sent', 'acknowledged', 'executed', 'bank_rejected', 'returned'"
STATES = f"'prepared', 'verified', 'authorised', 'in_file', {LEFT}, 'cancelled'"


def lists(order: str, request: str, let_go: str) -> None:
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION payment_terminal_states(kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'payment_order' THEN ARRAY[{order}]
    WHEN 'payment_request' THEN ARRAY[{request}]
    WHEN 'recovery' THEN ARRAY['paid', 'waived']
    WHEN 'grant_agreement' THEN ARRAY['closed', 'dropped']
  END
$$
        """
    )
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION payment_order_states_let_go() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT ARRAY[{let_go}]
$$
        """
    )


def may_move(from_paid: str) -> None:
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION check_request_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
BEGIN
  IF NEW.state <> 'paid' {from_paid}AND NOT (OLD.state = 'verified' AND NEW.state = 'registered')
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


def constraints(table: str, **wanted: str) -> None:
    for name, condition in wanted.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_{name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})")


def of_orders(states: str, left: str, executed: str) -> None:
    constraints(
        "payment_order",
        state_known=f"state IN ({states})",
        verified_has_person=f"state NOT IN ('verified', 'authorised', 'in_file', {left}) OR verified_by IS NOT NULL",
        authorised_has_person=f"state NOT IN ('authorised', 'in_file', {left}) OR authorised_by IS NOT NULL",
        sent_has_person=f"(state IN ({left})) = (sent_by IS NOT NULL)",
        in_file_has_batch=f"(state IN ('in_file', {left})) = (batch_id IS NOT NULL)",
        executed_has_person=f"(state IN ({executed})) = (executed_by IS NOT NULL)",
    )


def of_lines(booked: str, named: str, explained: str, returned: str, repaid: str) -> None:
    constraints(
        "bank_line",
        booked_as_known=f"booked_as IN ({booked})",
        order_is_named=f"(coalesce(booked_as, '') IN ({named})) = (order_id IS NOT NULL)",
        paid_is_debit=f"booked_as NOT IN ('order', 'file', 'charge'{repaid}) OR direction = 'debit'",
        received_is_credit=f"booked_as NOT IN ('recovery', 'funding', 'unidentified'{returned}) OR direction = 'credit'",
        identified_as_known=f"identified_as IN ('recovery', 'funding'{returned})",
    )
    constraints(
        "bank_claim",
        explained_known=f"explained IN ({explained})",
        order_is_named=f"(explained IN ({named})) = (order_id IS NOT NULL)",
        recovery_is_named=f"(explained IN ('recovery'{repaid})) = (recovery_id IS NOT NULL)",
    )


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE payment_order ADD COLUMN came_back_on DATE, ADD COLUMN bank_reason TEXT, ADD COLUMN reissue_of UUID,
            ADD CONSTRAINT fk_payment_order_reissue_of FOREIGN KEY(reissue_of) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    of_orders(STATES, LEFT, "'executed', 'returned'")
    constraints(
        "payment_order",
        came_back_has_day="(state IN ('bank_rejected', 'returned')) = (came_back_on IS NOT NULL)",
        came_back_has_reason="(came_back_on IS NULL) = (bank_reason IS NULL)",
        reissues_another="reissue_of <> id",
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_payment_order_reissue_of ON payment_order (reissue_of) WHERE state <> 'cancelled'"
    )
    lists(
        "'bank_rejected', 'returned', 'cancelled'", "'rejected', 'cleared'", "'cancelled', 'bank_rejected', 'returned'"
    )
    may_move("AND OLD.state <> 'paid' ")
    constraints("bank_import", kind_known="kind IN ('camt.053', 'camt.054', 'pain.002')")
    of_lines(
        "'order', 'file', 'recovery', 'funding', 'unidentified', 'charge', 'return', 'repaid', 'set_aside'",
        "'order', 'return'",
        "'order', 'recovery', 'funding', 'unidentified', 'charge', 'return', 'repaid', 'set_aside'",
        ", 'return'",
        ", 'repaid'",
    )
    op.execute("CREATE UNIQUE INDEX uq_bank_line_return ON bank_line (order_id) WHERE booked_as = 'return'")
    op.execute(
        """
        CREATE TABLE bank_status (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            import_id UUID NOT NULL,
            order_id UUID,
            end_to_end_id TEXT NOT NULL,
            status TEXT NOT NULL,
            reason TEXT NOT NULL,
            outcome TEXT NOT NULL,
            told_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_bank_status PRIMARY KEY (id),
            CONSTRAINT uq_bank_status_import_id_end_to_end_id UNIQUE (import_id, end_to_end_id),
            CONSTRAINT ck_bank_status_outcome_known CHECK (outcome IN ('acknowledged', 'rejected', 'late', 'noted', 'left', 'unknown')),
            CONSTRAINT ck_bank_status_known_has_order CHECK (order_id IS NOT NULL OR outcome = 'unknown'),
            CONSTRAINT fk_bank_status_import_id FOREIGN KEY(import_id) REFERENCES bank_import (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_status_order_id FOREIGN KEY(order_id) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_bank_status_order_id ON bank_status (order_id)")
    op.execute(
        """
        CREATE TRIGGER bank_status_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_status
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE bank_status")
    op.execute("DROP INDEX uq_bank_line_return")
    of_lines(
        "'order', 'file', 'recovery', 'funding', 'unidentified', 'charge', 'set_aside'",
        "'order'",
        "'order', 'recovery', 'funding', 'unidentified', 'charge', 'set_aside'",
        "",
        "",
    )
    constraints("bank_import", kind_known="kind IN ('camt.053', 'camt.054')")
    may_move("")
    lists("'executed', 'cancelled'", "'rejected', 'cleared', 'paid'", "'cancelled'")
    op.execute("DROP INDEX uq_payment_order_reissue_of")
    op.execute("ALTER TABLE payment_order DROP COLUMN came_back_on, DROP COLUMN bank_reason, DROP COLUMN reissue_of")
    left = "'sent', 'executed'"
    of_orders(f"'prepared', 'verified', 'authorised', 'in_file', {left}, 'cancelled'", left, "'executed'")
