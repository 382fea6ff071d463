"""The database itself holds the payments of a suspended grant."""

from __future__ import annotations

from alembic import op

revision = "0113"
down_revision = "0112"
branch_labels = None
depends_on = None

GRANT_HELD = """
CREATE OR REPLACE FUNCTION payment_grant_held(wanted uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
  SELECT EXISTS (
    SELECT FROM agreement_hold hold JOIN grant_agreement held ON held.id = hold.grant_id
    WHERE hold.grant_id = wanted AND hold.lifted_on IS NULL
      AND (hold.organisation_id IS NULL OR hold.organisation_id = held.coordinator_id)
      AND hold.from_on <= (transaction_timestamp() AT TIME ZONE 'Europe/Brussels')::date)
$$
"""
REQUEST_MAY_MOVE = """
CREATE OR REPLACE FUNCTION check_request_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
BEGIN
  IF NEW.state <> 'paid' AND OLD.state <> 'paid' AND NOT (OLD.state = 'verified' AND NEW.state = 'registered')
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request % is suspended: it cannot become %', NEW.id, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('approved', 'partly_approved', 'rejected', 'cleared') AND OLD.state NOT IN ('approved', 'partly_approved', 'paid')
    AND payment_grant_held(NEW.grant_id) THEN
    RAISE EXCEPTION 'payment request % is of a suspended grant: it cannot become %', NEW.id, NEW.state USING ERRCODE = 'check_violation';
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
ORDER_MAY_MOVE = """
CREATE OR REPLACE FUNCTION check_order_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state IN ('in_file', 'sent') OR (NEW.state = 'authorised' AND OLD.state = 'verified'))
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment order % belongs to a suspended request: it cannot become %', NEW.id, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.state IN ('in_file', 'sent') OR (NEW.state = 'authorised' AND OLD.state = 'verified'))
    AND payment_grant_held(NEW.grant_id) THEN
    RAISE EXCEPTION 'payment order % is of a suspended grant: it cannot become %', NEW.id, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
REQUEST_BEFORE = """
CREATE OR REPLACE FUNCTION check_request_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
BEGIN
  IF NEW.state <> 'paid' AND OLD.state <> 'paid' AND NOT (OLD.state = 'verified' AND NEW.state = 'registered')
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
ORDER_BEFORE = """
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


def upgrade() -> None:
    for function in (GRANT_HELD, REQUEST_MAY_MOVE, ORDER_MAY_MOVE):
        op.execute(function)


def downgrade() -> None:
    for function in (REQUEST_BEFORE, ORDER_BEFORE):
        op.execute(function)
    op.execute("DROP FUNCTION payment_grant_held")
