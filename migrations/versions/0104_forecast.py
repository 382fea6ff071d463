"""When a milestone is expected now and why; forecasts as they were kept, with their lines."""

from __future__ import annotations

from alembic import op

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None

KINDS = "'ceiling', 'paid', 'due', 'prefinancing', 'interim', 'balance', 'given_back', 'reserved', 'free'"


def upgrade() -> None:
    op.execute("ALTER TABLE milestone ADD COLUMN expected_on DATE")
    op.execute("ALTER TABLE milestone ADD COLUMN expected_why TEXT")
    op.execute(
        "ALTER TABLE milestone ADD CONSTRAINT ck_milestone_expected_has_reason "
        "CHECK ((expected_on IS NULL) = (expected_why IS NULL))"
    )
    op.execute(
        """
        CREATE TABLE forecast_snapshot (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            reference TEXT NOT NULL,
            as_of TIMESTAMP WITH TIME ZONE NOT NULL,
            taken_on DATE NOT NULL,
            taken_by UUID,
            note TEXT,
            CONSTRAINT pk_forecast_snapshot PRIMARY KEY (id),
            CONSTRAINT uq_forecast_snapshot_reference UNIQUE (reference),
            CONSTRAINT fk_forecast_snapshot_taken_by FOREIGN KEY(taken_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_forecast_snapshot_as_of ON forecast_snapshot (as_of)")
    op.execute(
        f"""
        CREATE TABLE forecast_line (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            snapshot_id UUID NOT NULL,
            position INTEGER NOT NULL,
            call_id UUID NOT NULL,
            grant_id UUID,
            kind TEXT NOT NULL,
            report_number INTEGER,
            amount BIGINT NOT NULL,
            is_reserved BOOLEAN NOT NULL,
            due_on DATE,
            basis TEXT,
            waits_for TEXT,
            CONSTRAINT pk_forecast_line PRIMARY KEY (id),
            CONSTRAINT uq_forecast_line_snapshot_id_position UNIQUE (snapshot_id, position),
            CONSTRAINT ck_forecast_line_kind_known CHECK (kind IN ({KINDS})),
            CONSTRAINT ck_forecast_line_basis_known CHECK (basis IN ('signature', 'request', 'report', 'milestone')),
            CONSTRAINT ck_forecast_line_payment_has_day CHECK ((kind IN ('prefinancing', 'interim', 'balance')) = (due_on IS NOT NULL)),
            CONSTRAINT ck_forecast_line_day_has_basis CHECK ((due_on IS NULL) = (basis IS NULL)),
            CONSTRAINT ck_forecast_line_budget_of_call CHECK ((kind IN ('ceiling', 'reserved', 'free')) = (grant_id IS NULL)),
            CONSTRAINT fk_forecast_line_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES forecast_snapshot (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_forecast_line_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_forecast_line_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    for table in ("forecast_snapshot", "forecast_line"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    # What was said of milestones, and what was forecast, is known nowhere else.
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM forecast_snapshot) OR EXISTS (SELECT FROM milestone WHERE expected_on IS NOT NULL) THEN
            RAISE EXCEPTION 'forecasts were kept or milestones are expected on another day: they would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE forecast_line, forecast_snapshot")
    op.execute("ALTER TABLE milestone DROP CONSTRAINT ck_milestone_expected_has_reason")
    op.execute("ALTER TABLE milestone DROP COLUMN expected_why")
    op.execute("ALTER TABLE milestone DROP COLUMN expected_on")
