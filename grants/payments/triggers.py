"""What the database itself enforces of payments: live orders of a request never sum to more than it is owed, and nobody
approves a payment to an account of their own making."""

from __future__ import annotations

from sqlalchemy import Connection

_WITHIN_REQUEST = """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> 'cancelled';
  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders of payment request %% sum to %% cents; %% are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

_NO_OWN_ACCOUNT = """
CREATE OR REPLACE FUNCTION refuse_own_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM bank_account WHERE id = NEW.bank_account_id
      AND (entered_by IN (NEW.verified_by, NEW.authorised_by) OR confirmed_by IN (NEW.verified_by, NEW.authorised_by))
  ) THEN
    RAISE EXCEPTION 'payment order %%: who entered or confirmed its bank account neither verifies nor authorises it', NEW.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Create the functions and their triggers, as the owner role."""
    connection.exec_driver_sql(_WITHIN_REQUEST)
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER payment_order_within_request AFTER INSERT OR UPDATE ON payment_order "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_orders_within_request()"
    )
    connection.exec_driver_sql(_NO_OWN_ACCOUNT)
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_order_no_own_account AFTER INSERT OR UPDATE OF bank_account_id, verified_by, authorised_by "
        "ON payment_order FOR EACH ROW EXECUTE FUNCTION refuse_own_account()"
    )
