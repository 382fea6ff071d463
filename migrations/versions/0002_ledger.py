"""Make the tables of ledger."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ledger_entry (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number BIGINT GENERATED ALWAYS AS IDENTITY,
            event TEXT NOT NULL,
            source_key TEXT NOT NULL,
            effective_on DATE NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            description TEXT NOT NULL,
            reverses_id UUID,
            legs_sha256 TEXT NOT NULL,
            CONSTRAINT pk_ledger_entry PRIMARY KEY (id),
            CONSTRAINT ck_ledger_entry_event_known CHECK (event IN ('E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7', 'E8', 'E9a', 'E9b', 'E9c', 'E10', 'E11', 'E11b', 'E12', 'E13', 'E14', 'E15', 'E16', 'E17', 'E18', 'E19', 'E20', 'E21', 'E22', 'E23', 'E24')),
            CONSTRAINT ck_ledger_entry_reversal_names_its_original CHECK ((event = 'E24') = (reverses_id IS NOT NULL)),
            CONSTRAINT ck_ledger_entry_reversal_of_another CHECK (reverses_id <> id),
            CONSTRAINT uq_ledger_entry_number UNIQUE (number),
            CONSTRAINT uq_ledger_entry_source_key UNIQUE (source_key),
            CONSTRAINT uq_ledger_entry_reverses_id UNIQUE (reverses_id),
            CONSTRAINT fk_ledger_entry_reverses_id FOREIGN KEY(reverses_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_ledger_entry_recorded_at ON ledger_entry (recorded_at)")
    op.execute("CREATE INDEX ix_ledger_entry_effective_on_number ON ledger_entry (effective_on, number)")
    op.execute(
        """
        CREATE TABLE ledger_leg (
            entry_id UUID NOT NULL,
            position INTEGER NOT NULL,
            account TEXT NOT NULL,
            side TEXT NOT NULL,
            cents BIGINT NOT NULL,
            fund_source_id UUID,
            call_id UUID,
            grant_id UUID,
            organisation_id UUID,
            category TEXT,
            period TEXT,
            document_id UUID,
            CONSTRAINT pk_ledger_leg PRIMARY KEY (entry_id, position),
            CONSTRAINT ck_ledger_leg_account_known CHECK (account IN ('B000', 'B100', 'B200', 'B300', 'B310', 'B400', '1000', '1050', '1100', '1200', '1210', '1220', '2000', '2100', '2200', '2300', '2400', '3000', '4100', '5000', '5100', '5200', '5300', 'M000', 'M100', 'M200')),
            CONSTRAINT ck_ledger_leg_side_known CHECK (side IN ('debit', 'credit')),
            CONSTRAINT ck_ledger_leg_cents_above_zero CHECK (cents > 0),
            CONSTRAINT fk_ledger_leg_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_ledger_leg_account_call_id ON ledger_leg (account, call_id)")
    op.execute("CREATE INDEX ix_ledger_leg_account_grant_id ON ledger_leg (account, grant_id)")
    op.execute("CREATE INDEX ix_ledger_leg_grant_id ON ledger_leg (grant_id)")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          entry uuid;
          legs bigint;
          off record;
        BEGIN
          IF TG_TABLE_NAME = 'ledger_entry' THEN entry := NEW.id; ELSE entry := NEW.entry_id; END IF;
          SELECT count(*) INTO legs FROM ledger_leg WHERE entry_id = entry;
          IF legs < 2 THEN
            RAISE EXCEPTION 'ledger entry % has % legs; it needs two or more', entry, legs USING ERRCODE = 'check_violation';
          END IF;
          SELECT CASE left(account, 1) WHEN 'B' THEN 'budget' WHEN 'M' THEN 'memo' ELSE 'general' END AS ledger,
                 sum(CASE side WHEN 'debit' THEN cents ELSE -cents END) AS cents
            INTO off FROM ledger_leg WHERE entry_id = entry GROUP BY 1
            HAVING sum(CASE side WHEN 'debit' THEN cents ELSE -cents END) <> 0 LIMIT 1;
          IF FOUND THEN
            RAISE EXCEPTION 'ledger entry % is unbalanced: its % ledger is off by % cents', entry, off.ledger, off.cents
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry()
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER ledger_leg_balanced AFTER INSERT ON ledger_leg DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry()
        """
    )
    op.execute(
        """
        CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER ledger_leg_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leg FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE ledger_entry, ledger_leg")
    op.execute("DROP FUNCTION check_ledger_entry()")
