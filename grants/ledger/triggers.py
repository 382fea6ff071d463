"""What the database itself enforces of double entry: at commit every entry balances in each of its ledgers, and no leg has
taken an account below zero within its call or grant."""

from __future__ import annotations

from sqlalchemy import Connection

from grants.ledger.accounts import CHART, Account, Floor, Side
from grants.ledger.rules import BEFORE_A_FUND

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


def _with(floor: Floor, side: Side | None = None) -> str:
    """The accounts with this floor (that grow on this side), as SQL writes them."""
    found = [a for a in Account if CHART[a].floor is floor and side in (None, a.normal_side)]
    return ", ".join(f"'{account.value}'" for account in found)


# The last line of the floors, for legs that no act wrote: acts refuse earlier and in words. It waits for the lock that acts
# hold (grants.ledger.services._lock), so that two sessions cannot each take what is there once; the sum is read after that.
_FLOOR = f"""
CREATE OR REPLACE FUNCTION check_ledger_floor() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stands numeric;
BEGIN
  IF NEW.account IN ({_with(Floor.CALL)}) THEN
    PERFORM pg_advisory_xact_lock(7261002, ('x' || left(NEW.call_id::text, 3))::bit(12)::int >> 2);
    SELECT sum(CASE side WHEN NEW.side THEN -cents ELSE cents END) INTO stands
      FROM ledger_leg WHERE account = NEW.account AND call_id = NEW.call_id;
  ELSE
    PERFORM pg_advisory_xact_lock(7261002, 1024 + (('x' || left(NEW.grant_id::text, 3))::bit(12)::int >> 2));
    SELECT sum(CASE side WHEN NEW.side THEN -cents ELSE cents END) INTO stands
      FROM ledger_leg WHERE account = NEW.account AND grant_id = NEW.grant_id;
  END IF;
  IF stands < 0 THEN
    RAISE EXCEPTION 'ledger account %% would stand at %% cents, below zero, within %%',
      NEW.account, stands, CASE WHEN NEW.account IN ({_with(Floor.CALL)}) THEN 'call ' || NEW.call_id ELSE 'grant ' || NEW.grant_id END
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

# Only legs that take from an account, each on the side on which it does not grow.
_TAKES = " OR ".join(
    f"NEW.{floor.value} IS NOT NULL AND NEW.side = '{side.other.value}' AND NEW.account IN ({_with(floor, side)})"
    for floor in (Floor.CALL, Floor.GRANT)
    for side in Side
)

# Not asked of the legs that stood before the rule: nobody changes them, and the verify names them. A table's own CHECK
# cannot be made so.
_FUNDED = (
    "ALTER TABLE ledger_leg ADD CONSTRAINT ck_ledger_leg_has_fund_source CHECK (fund_source_id IS NOT NULL OR "
    f"(call_id IS NULL AND grant_id IS NULL AND account IN ({', '.join(repr(each.value) for each in BEFORE_A_FUND)}))) NOT VALID"
)

# Legs by place and month, always in one order.
_BY_MONTH = """
  SELECT added.account, added.call_id, added.fund_source_id, date_trunc('month', entry.effective_on)::date,
         date_trunc('month', entry.recorded_at AT TIME ZONE 'UTC')::date,
         coalesce(sum(added.cents) FILTER (WHERE added.side = 'debit'), 0),
         coalesce(sum(added.cents) FILTER (WHERE added.side = 'credit'), 0)
    FROM {legs} JOIN ledger_entry entry ON entry.id = added.entry_id
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""

# As the tables' owner, since the program may only read what is kept. An entry is written before its legs.
_MONTHS = f"""
CREATE OR REPLACE FUNCTION keep_ledger_months() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO ledger_month AS kept (account, call_id, fund_source_id, effective_month, recorded_month, debits, credits)
  {_BY_MONTH.format(legs="added").strip()}
  ON CONFLICT (account, call_id, fund_source_id, effective_month, recorded_month)
    DO UPDATE SET debits = kept.debits + excluded.debits, credits = kept.credits + excluded.credits;
  RETURN NULL;
END $$
"""

# For legs that were loaded past the trigger, into a database that is thrown away.
MONTHS_ANEW = ("DELETE FROM ledger_month", f"INSERT INTO ledger_month {_BY_MONTH.format(legs='ledger_leg added')}")


def install(connection: Connection) -> None:
    """Create the functions and their deferred constraint triggers, as the owner role."""
    connection.exec_driver_sql(_BALANCED)
    for table in ("ledger_entry", "ledger_leg"):
        connection.exec_driver_sql(
            f"CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry()"
        )
    connection.exec_driver_sql(_FUNDED)
    connection.exec_driver_sql(_FLOOR)
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER ledger_leg_floor AFTER INSERT ON ledger_leg DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW WHEN ({_TAKES}) EXECUTE FUNCTION check_ledger_floor()"
    )
    connection.exec_driver_sql(_MONTHS)
    connection.exec_driver_sql(
        "CREATE TRIGGER ledger_leg_months AFTER INSERT ON ledger_leg REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_ledger_months()"
    )
