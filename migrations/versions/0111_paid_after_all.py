"""An order the bank rejected can still become executed: where a line of the bank says that it was paid after all."""

from __future__ import annotations

from alembic import op

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None


def terminal(orders: str, also: str) -> None:
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION payment_terminal_states(kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'payment_order' THEN ARRAY[{orders}]
    WHEN 'payment_request' THEN ARRAY['rejected', 'cleared']
    WHEN 'recovery' THEN ARRAY['paid', 'waived']
    WHEN 'grant_agreement' THEN ARRAY['closed', 'dropped']
  END
$$
        """
    )
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION refuse_leaving_terminal_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = ANY (payment_terminal_states(TG_TABLE_NAME::text)){also} THEN
    RAISE EXCEPTION '% % is %: nothing leads on from there', TG_TABLE_NAME, OLD.id, OLD.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
        """
    )


def upgrade() -> None:
    terminal("'returned', 'cancelled'", "\n     OR (OLD.state = 'bank_rejected' AND NEW.state <> 'executed')")


def downgrade() -> None:
    terminal("'bank_rejected', 'returned', 'cancelled'", "")
