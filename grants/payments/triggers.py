"""What the database itself enforces of payments: orders within what is owed, and nothing moves while a clock stands still."""

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


# A request that is suspended is not decided, and a decided one passed what its grant asks for. What left before the
# suspension may still be booked, and so paid.
_DECIDED_IN_TIME = """
CREATE OR REPLACE FUNCTION check_request_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
BEGIN
  IF NEW.state <> 'paid' AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request %% is suspended: it cannot become %%', NEW.id, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('approved', 'partly_approved') THEN
    SELECT request_path INTO path FROM grant_agreement WHERE id = NEW.grant_id;
    IF (path <> 'decided' AND NEW.registered_at IS NULL) OR (path = 'verified' AND NEW.verified_at IS NULL) THEN
      RAISE EXCEPTION 'payment request %% is not yet %%', NEW.id, path USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$
"""

# An order of a suspended request is neither authorised nor sent; taken out of a file it may stand authorised as before.
_ORDER_HELD = """
CREATE OR REPLACE FUNCTION check_order_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state IN ('in_file', 'exported', 'sent') OR (NEW.state = 'authorised' AND OLD.state = 'verified'))
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment order %% belongs to a suspended request: it cannot become %%', NEW.id, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

_NO_OVERLAP = """
CREATE OR REPLACE FUNCTION check_suspensions_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM payment_suspension other WHERE other.request_id = NEW.request_id AND other.id <> NEW.id
      AND other.from_on < coalesce(NEW.until_on, 'infinity') AND NEW.from_on < coalesce(other.until_on, 'infinity')
  ) THEN
    RAISE EXCEPTION 'suspensions of payment request %% overlap', NEW.request_id USING ERRCODE = 'exclusion_violation';
  END IF;
  IF (SELECT suspended_on FROM payment_request WHERE id = NEW.request_id) IS DISTINCT FROM
    (SELECT from_on FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request %% does not say since when it is suspended', NEW.request_id USING ERRCODE = 'check_violation';
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
    connection.exec_driver_sql(_DECIDED_IN_TIME)
    connection.exec_driver_sql(_ORDER_HELD)
    connection.exec_driver_sql(_NO_OVERLAP)
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_request_may_move BEFORE UPDATE OF state ON payment_request FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_request_may_move()"
    )
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_order_may_move BEFORE UPDATE OF state ON payment_order FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_order_may_move()"
    )
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER payment_suspension_apart AFTER INSERT OR UPDATE ON payment_suspension "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_suspensions_apart()"
    )
