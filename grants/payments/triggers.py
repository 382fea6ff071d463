"""What the database itself enforces of payments: live orders of a request never sum to more than it is owed."""

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


def install(connection: Connection) -> None:
    """Create the function and its deferred constraint trigger, as the owner role."""
    connection.exec_driver_sql(_WITHIN_REQUEST)
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER payment_order_within_request AFTER INSERT OR UPDATE ON payment_order "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_orders_within_request()"
    )
