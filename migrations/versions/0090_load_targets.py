"""Evaluators say how many applications they aim at and, if they wish, their gender; losses worked out later are kept."""

from __future__ import annotations

from alembic import op

revision = "0090"
down_revision = "0088"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE evaluator ADD COLUMN load_target INTEGER, ADD COLUMN gender TEXT, "
        "ADD CONSTRAINT ck_evaluator_load_target_between CHECK (load_target BETWEEN load_min AND load_max), "
        "ADD CONSTRAINT ck_evaluator_gender_known CHECK (gender IN ('woman', 'man', 'another', 'unsaid'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE evaluator DROP COLUMN gender, DROP COLUMN load_target")
