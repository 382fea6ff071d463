"""Sums of the ledger by account, call, parent grant and month, kept by the database for the running balance of long lists;
indexes by which legs are found and counted by account, call, partner and document."""

from __future__ import annotations

from alembic import op

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None

KEPT = """
  SELECT {legs}.account, {legs}.call_id, {legs}.fund_source_id, date_trunc('month', entry.effective_on)::date,
         date_trunc('month', entry.recorded_at AT TIME ZONE 'UTC')::date,
         coalesce(sum({legs}.cents) FILTER (WHERE {legs}.side = 'debit'), 0),
         coalesce(sum({legs}.cents) FILTER (WHERE {legs}.side = 'credit'), 0)
    FROM {table} JOIN ledger_entry entry ON entry.id = {legs}.entry_id
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ledger_month (
            account TEXT NOT NULL,
            call_id UUID,
            fund_source_id UUID,
            effective_month DATE NOT NULL,
            recorded_month DATE NOT NULL,
            debits BIGINT NOT NULL,
            credits BIGINT NOT NULL,
            CONSTRAINT uq_ledger_month_place UNIQUE NULLS NOT DISTINCT
                (account, call_id, fund_source_id, effective_month, recorded_month)
        )
        """
    )
    op.execute(f"INSERT INTO ledger_month {KEPT.format(legs='leg', table='ledger_leg leg')}")
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION keep_ledger_months() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
          INSERT INTO ledger_month AS kept (account, call_id, fund_source_id, effective_month, recorded_month, debits, credits)
          {KEPT.format(legs="added", table="added").strip()}
          ON CONFLICT (account, call_id, fund_source_id, effective_month, recorded_month)
            DO UPDATE SET debits = kept.debits + excluded.debits, credits = kept.credits + excluded.credits;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER ledger_leg_months AFTER INSERT ON ledger_leg REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_ledger_months()"
    )
    op.execute("CREATE INDEX ix_ledger_leg_document_id ON ledger_leg (document_id)")
    for column in ("category", "period"):
        op.execute(f"CREATE INDEX ix_ledger_leg_{column} ON ledger_leg ({column}, entry_id) WHERE {column} IS NOT NULL")
    op.execute("CREATE INDEX ix_ledger_leg_account_entry_id ON ledger_leg (account, entry_id) INCLUDE (side, cents)")
    op.execute("CREATE INDEX ix_ledger_leg_call_id_entry_id ON ledger_leg (call_id, entry_id)")
    op.execute("CREATE INDEX ix_ledger_leg_organisation_id_entry_id ON ledger_leg (organisation_id, entry_id)")


def downgrade() -> None:
    op.execute(
        "DROP INDEX ix_ledger_leg_organisation_id_entry_id, ix_ledger_leg_call_id_entry_id, ix_ledger_leg_account_entry_id, "
        "ix_ledger_leg_document_id, ix_ledger_leg_period, ix_ledger_leg_category"
    )
    op.execute("DROP TRIGGER ledger_leg_months ON ledger_leg")
    op.execute("DROP FUNCTION keep_ledger_months()")
    op.execute("DROP TABLE ledger_month")
