"""Two aims more and how robust a selection is: what a job may be asked beside the list."""

from __future__ import annotations

from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

BEFORE = "'list', 'score', 'population'"
NOW = f"{BEFORE}, 'quality', 'climate', 'robust'"


def upgrade() -> None:
    _known(NOW)


def downgrade() -> None:
    # What was worked out can be asked for again; the table is append-only for everybody but its owner here.
    op.execute("ALTER TABLE selection_solve DISABLE TRIGGER selection_solve_append_only")
    op.execute("DELETE FROM selection_solve WHERE kind IN ('quality', 'climate', 'robust')")
    op.execute("ALTER TABLE selection_solve ENABLE TRIGGER selection_solve_append_only")
    _known(BEFORE)


def _known(kinds: str) -> None:
    op.execute("ALTER TABLE selection_solve DROP CONSTRAINT ck_selection_solve_kind_known")
    op.execute(f"ALTER TABLE selection_solve ADD CONSTRAINT ck_selection_solve_kind_known CHECK (kind IN ({kinds}))")
