"""Of the ledger: funding received and bank charges, the account of the programme that moved, the floors kept by the database
itself, and no new leg without its parent grant."""

from __future__ import annotations

from alembic import op

revision = "0095"
down_revision = "0094"
branch_labels = None
depends_on = None

EVENTS = "'E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7', 'E8', 'E9a', 'E9b', 'E9c', 'E10', 'E11', 'E11b', 'E12', 'E13', 'E14', 'E15', 'E16', 'E17', 'E18', 'E19', 'E20', 'E21', 'E22', 'E23', 'E24'"


def upgrade() -> None:
    op.execute("ALTER TABLE ledger_leg ADD COLUMN own_account_id UUID")
    op.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ck_ledger_entry_event_known")
    op.execute(
        f"ALTER TABLE ledger_entry ADD CONSTRAINT ck_ledger_entry_event_known CHECK (event IN ({EVENTS}, 'E25', 'E26'))"
    )
    # Legs of before are left as they are; whatever comes from now on is held to it.
    op.execute(
        """
        ALTER TABLE ledger_leg ADD CONSTRAINT ck_ledger_leg_has_fund_source CHECK (fund_source_id IS NOT NULL
            OR (call_id IS NULL AND grant_id IS NULL AND account IN ('1000', '2400', '5200'))) NOT VALID
        """
    )
    op.execute(
        """
        ALTER TABLE ledger_leg ADD CONSTRAINT ck_ledger_leg_own_account_of_bank CHECK (own_account_id IS NULL OR account = '1000')
        """
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION check_ledger_floor() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          stands numeric;
        BEGIN
          IF NEW.account IN ('B000', 'B100', 'B200', 'B300') THEN
            PERFORM pg_advisory_xact_lock(7261002, ('x' || left(NEW.call_id::text, 3))::bit(12)::int >> 2);
            SELECT sum(CASE side WHEN NEW.side THEN -cents ELSE cents END) INTO stands
              FROM ledger_leg WHERE account = NEW.account AND call_id = NEW.call_id;
          ELSE
            PERFORM pg_advisory_xact_lock(7261002, 1024 + (('x' || left(NEW.grant_id::text, 3))::bit(12)::int >> 2));
            SELECT sum(CASE side WHEN NEW.side THEN -cents ELSE cents END) INTO stands
              FROM ledger_leg WHERE account = NEW.account AND grant_id = NEW.grant_id;
          END IF;
          IF stands < 0 THEN
            RAISE EXCEPTION 'ledger account % would stand at % cents, below zero, within %',
              NEW.account, stands, CASE WHEN NEW.account IN ('B000', 'B100', 'B200', 'B300') THEN 'call ' || NEW.call_id ELSE 'grant ' || NEW.grant_id END
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER ledger_leg_floor AFTER INSERT ON ledger_leg DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.call_id IS NOT NULL AND NEW.side = 'credit' AND NEW.account IN ('B100', 'B200', 'B300') OR NEW.call_id IS NOT NULL AND NEW.side = 'debit' AND NEW.account IN ('B000') OR NEW.grant_id IS NOT NULL AND NEW.side = 'credit' AND NEW.account IN ('B310', 'B400', '1100', '1200', '1210', '5000', 'M100') OR NEW.grant_id IS NOT NULL AND NEW.side = 'debit' AND NEW.account IN ('1050', '2000', '2100', '2200', '2300'))
        EXECUTE FUNCTION check_ledger_floor()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER ledger_leg_floor ON ledger_leg")
    op.execute("DROP FUNCTION check_ledger_floor()")
    op.execute("ALTER TABLE ledger_leg DROP CONSTRAINT ck_ledger_leg_has_fund_source, DROP COLUMN own_account_id")
    op.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ck_ledger_entry_event_known")
    op.execute(f"ALTER TABLE ledger_entry ADD CONSTRAINT ck_ledger_entry_event_known CHECK (event IN ({EVENTS}))")
