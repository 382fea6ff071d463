"""Tasks, milestones and deliverables of the work packages beside a budget."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE budget_plan_item (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            package_id UUID NOT NULL,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            owner_id UUID,
            starts_month INTEGER NOT NULL,
            ends_month INTEGER NOT NULL,
            CONSTRAINT pk_budget_plan_item PRIMARY KEY (id),
            CONSTRAINT ck_budget_plan_item_kind_known CHECK (kind IN ('task', 'milestone', 'deliverable')),
            CONSTRAINT ck_budget_plan_item_months_in_order CHECK (starts_month >= 1 AND ends_month >= starts_month),
            CONSTRAINT fk_budget_plan_item_package_id FOREIGN KEY(package_id) REFERENCES budget_package (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_plan_item_owner_id FOREIGN KEY(owner_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_budget_plan_item_package_id ON budget_plan_item (package_id)")
    op.execute("CREATE INDEX ix_budget_plan_item_owner_id ON budget_plan_item (owner_id)")


def downgrade() -> None:
    op.execute("DROP TABLE budget_plan_item")
