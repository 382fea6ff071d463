"""Who booked an order as executed counts among its hands where somebody stands in for somebody."""

from __future__ import annotations

from alembic import op

revision = "0112"
down_revision = "0111"
branch_labels = None
depends_on = None

TIED = """
    WITH hand(step, person, at) AS (
      SELECT step, user_id, signed_at FROM payment_order_signature WHERE order_id = wanted AND voided_at IS NULL
      UNION ALL
      SELECT 'sent', ord.executed_by, NULL
    )
    SELECT FROM hand a
      JOIN role_grant stands ON stands.user_id = a.person AND stands.stand_in_for IS NOT NULL AND stands.confirmed_at IS NOT NULL
      JOIN hand b ON b.person = stands.stand_in_for AND b.step <> a.step
    WHERE (a.at >= greatest(stands.starts_at, stands.confirmed_at) AND a.at < stands.ends_before)
      OR (b.at >= greatest(stands.starts_at, stands.confirmed_at) AND b.at < stands.ends_before)
"""
TIED_BEFORE = """
    SELECT FROM payment_order_signature a
      JOIN role_grant stands ON stands.user_id = a.user_id AND stands.stand_in_for IS NOT NULL AND stands.confirmed_at IS NOT NULL
      JOIN payment_order_signature b ON b.order_id = wanted AND b.voided_at IS NULL AND b.user_id = stands.stand_in_for
    WHERE a.order_id = wanted AND a.voided_at IS NULL AND (
      (a.signed_at >= greatest(stands.starts_at, stands.confirmed_at) AND a.signed_at < stands.ends_before)
      OR (b.signed_at >= greatest(stands.starts_at, stands.confirmed_at) AND b.signed_at < stands.ends_before))
"""


def hands(tied: str) -> None:
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION check_order_hands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  ord payment_order;
  pairs jsonb;
BEGIN
  IF TG_TABLE_NAME = 'payment_order' THEN wanted := NEW.id; ELSE wanted := NEW.order_id; END IF;
  SELECT * INTO ord FROM payment_order WHERE id = wanted;
  SELECT circuit.apart INTO pairs FROM payment_circuit circuit
    WHERE circuit.state = 'confirmed' AND circuit.decided_at <=
      (SELECT max(signed_at) FROM payment_order_signature WHERE order_id = wanted AND step = 'prepared')
    ORDER BY circuit.decided_at DESC, circuit.number DESC LIMIT 1;
  IF EXISTS (
    WITH hand(step, person) AS (
      VALUES ('prepared', ord.prepared_by), ('verified', ord.verified_by), ('authorised', ord.authorised_by),
             ('sent', ord.sent_by), ('sent', ord.executed_by)
      UNION ALL
      SELECT step, user_id FROM payment_order_signature WHERE order_id = wanted AND voided_at IS NULL
    )
    SELECT FROM hand a JOIN hand b ON a.person = b.person AND a.step < b.step
    WHERE pairs IS NULL OR pairs ? (a.step || '/' || b.step)
  ) THEN
    RAISE EXCEPTION 'one person took two steps of payment order % that its circuit keeps apart', ord.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    {tied.strip()}
  ) THEN
    RAISE EXCEPTION 'payment order % is signed by somebody and by who stands in for them', ord.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
        """
    )


def upgrade() -> None:
    hands(TIED)


def downgrade() -> None:
    hands(TIED_BEFORE)
