"""Debts that are set off against payments."""

from __future__ import annotations

from alembic import op

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None

WITHIN_REQUEST = """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> ALL (payment_order_states_let_go());
  SELECT ordered + coalesce(sum(amount), 0) INTO ordered FROM payment_offset WHERE request_id = NEW.request_id;
  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders and offsets of payment request % sum to % cents; % are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
WITHIN_REQUEST_BEFORE = """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> ALL (payment_order_states_let_go());
  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders of payment request % sum to % cents; % are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
WITHIN_DEBT = """
CREATE OR REPLACE FUNCTION check_within_debt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  debt recovery;
BEGIN
  SELECT * INTO debt FROM recovery WHERE id = NEW.recovery_id;
  IF debt.amount < coalesce(debt.waived, 0) + (SELECT coalesce(sum(amount), 0) FROM recovery_receipt WHERE recovery_id = debt.id)
     + (SELECT coalesce(sum(amount), 0) FROM payment_offset WHERE recovery_id = debt.id) THEN
    RAISE EXCEPTION 'more of recovery % is settled than is owed', debt.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def deferred(name: str, table: str, function: str) -> None:
    op.execute(
        f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON {table} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {function}()"
    )


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE payment_offset (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            recovery_id UUID NOT NULL,
            amount BIGINT NOT NULL,
            offset_on DATE NOT NULL,
            offset_by UUID NOT NULL,
            CONSTRAINT pk_payment_offset PRIMARY KEY (id),
            CONSTRAINT ck_payment_offset_amount_positive CHECK (amount > 0),
            CONSTRAINT fk_payment_offset_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_offset_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_offset_offset_by FOREIGN KEY(offset_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_payment_offset_request_id ON payment_offset (request_id)")
    op.execute("CREATE INDEX ix_payment_offset_recovery_id ON payment_offset (recovery_id)")
    op.execute(
        "CREATE TRIGGER payment_offset_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_offset "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(WITHIN_REQUEST)
    op.execute(WITHIN_DEBT)
    for table in ("payment_offset", "recovery_receipt"):
        deferred(f"{table}_within_debt", table, "check_within_debt")
    deferred("payment_offset_within_request", "payment_offset", "check_orders_within_request")


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM payment_offset) THEN
            RAISE EXCEPTION 'debts were set off: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TRIGGER recovery_receipt_within_debt ON recovery_receipt")
    op.execute("DROP TABLE payment_offset")
    op.execute("DROP FUNCTION check_within_debt")
    op.execute(WITHIN_REQUEST_BEFORE)
