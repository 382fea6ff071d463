"""Runs keep floor, spread, ideal, solver, differences and the numbers behind each seat; a seat can be locked."""

from __future__ import annotations

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE assignment_run
            ADD COLUMN ideal INTEGER,
            ADD COLUMN floor INTEGER,
            ADD COLUMN spread INTEGER,
            ADD COLUMN solver TEXT NOT NULL DEFAULT '',
            ADD COLUMN changes JSONB NOT NULL DEFAULT '[]',
            ADD COLUMN difference JSONB NOT NULL DEFAULT '{}',
            ADD COLUMN explanations JSONB NOT NULL DEFAULT '{}',
            DROP CONSTRAINT ck_assignment_run_bound_is_reached,
            ADD CONSTRAINT ck_assignment_run_bound_covers_objective
                CHECK ((objective IS NULL) = (bound IS NULL) AND objective <= bound)
        """
    )
    op.execute(
        """
        ALTER TABLE assignment_run
            ALTER COLUMN solver DROP DEFAULT,
            ALTER COLUMN changes DROP DEFAULT,
            ALTER COLUMN difference DROP DEFAULT,
            ALTER COLUMN explanations DROP DEFAULT
        """
    )
    op.execute("ALTER TABLE assignment ADD COLUMN locked BOOLEAN NOT NULL DEFAULT false")
    op.execute("ALTER TABLE assignment ALTER COLUMN locked DROP DEFAULT")


def downgrade() -> None:
    op.execute("ALTER TABLE assignment DROP COLUMN locked")
    op.execute(
        """
        ALTER TABLE assignment_run
            DROP CONSTRAINT ck_assignment_run_bound_covers_objective,
            ADD CONSTRAINT ck_assignment_run_bound_is_reached CHECK (objective IS NOT DISTINCT FROM bound),
            DROP COLUMN explanations,
            DROP COLUMN difference,
            DROP COLUMN changes,
            DROP COLUMN solver,
            DROP COLUMN spread,
            DROP COLUMN floor,
            DROP COLUMN ideal
        """
    )
