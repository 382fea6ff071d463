"""What the database itself enforces of double entry: at commit every entry balances in each of its ledgers."""

from __future__ import annotations

from sqlalchemy import Connection

# Deferred and on both tables: an entry without legs and a leg added to an old entry are both caught.
_BALANCED = """
CREATE OR REPLACE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  entry uuid;
  legs bigint;
  off record;
BEGIN
  IF TG_TABLE_NAME = 'ledger_entry' THEN entry := NEW.id; ELSE entry := NEW.entry_id; END IF;
  SELECT count(*) INTO legs FROM ledger_leg WHERE entry_id = entry;
  IF legs < 2 THEN
    RAISE EXCEPTION 'ledger entry %% has %% legs; it needs two or more', entry, legs USING ERRCODE = 'check_violation';
  END IF;
  SELECT CASE left(account, 1) WHEN 'B' THEN 'budget' WHEN 'M' THEN 'memo' ELSE 'general' END AS ledger,
         sum(CASE side WHEN 'debit' THEN cents ELSE -cents END) AS cents
    INTO off FROM ledger_leg WHERE entry_id = entry GROUP BY 1
    HAVING sum(CASE side WHEN 'debit' THEN cents ELSE -cents END) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger entry %% is unbalanced: its %% ledger is off by %% cents', entry, off.ledger, off.cents
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Create the function and its deferred constraint triggers, as the owner role."""
    connection.exec_driver_sql(_BALANCED)
    for table in ("ledger_entry", "ledger_leg"):
        connection.exec_driver_sql(
            f"CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry()"
        )
