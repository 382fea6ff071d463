"""Make the tables of budgets."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE budget (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            owner_kind TEXT NOT NULL,
            owner_id UUID NOT NULL,
            purpose TEXT NOT NULL,
            rules JSONB NOT NULL,
            saves INTEGER NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE,
            saved_by UUID,
            CONSTRAINT pk_budget PRIMARY KEY (id),
            CONSTRAINT uq_budget_owner_kind_owner_id_purpose UNIQUE (owner_kind, owner_id, purpose),
            CONSTRAINT ck_budget_purpose_known CHECK (purpose IN ('planned', 'granted', 'actual')),
            CONSTRAINT ck_budget_saved_has_time CHECK ((saves = 0) = (saved_at IS NULL))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE budget_line (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            budget_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            category TEXT NOT NULL,
            amount BIGINT NOT NULL,
            CONSTRAINT pk_budget_line PRIMARY KEY (id),
            CONSTRAINT uq_budget_line_budget_id_organisation_id_category UNIQUE (budget_id, organisation_id, category),
            CONSTRAINT ck_budget_line_amount_not_negative CHECK (amount >= 0),
            CONSTRAINT fk_budget_line_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_line_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_budget_line_organisation_id ON budget_line (organisation_id)")
    op.execute(
        """
        CREATE TABLE budget_organisation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            budget_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            position INTEGER NOT NULL,
            CONSTRAINT pk_budget_organisation PRIMARY KEY (id),
            CONSTRAINT uq_budget_organisation_budget_id_organisation_id UNIQUE (budget_id, organisation_id),
            CONSTRAINT fk_budget_organisation_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_organisation_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_budget_organisation_organisation_id ON budget_organisation (organisation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE budget, budget_line, budget_organisation")
