"""Sentences that explain costs of a budget, and its sources beside the grant."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE budget_note (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            budget_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            CONSTRAINT pk_budget_note PRIMARY KEY (id),
            CONSTRAINT uq_budget_note_budget_id_organisation_id_kind UNIQUE (budget_id, organisation_id, kind),
            CONSTRAINT ck_budget_note_kind_known CHECK (kind IN ('staff', 'vat')),
            CONSTRAINT fk_budget_note_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_note_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_budget_note_organisation_id ON budget_note (organisation_id)")
    op.execute(
        """
        CREATE TABLE budget_source (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            budget_id UUID NOT NULL,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            amount BIGINT NOT NULL,
            confirmed BOOLEAN NOT NULL,
            CONSTRAINT pk_budget_source PRIMARY KEY (id),
            CONSTRAINT ck_budget_source_kind_known CHECK (kind IN ('own', 'public', 'eu', 'private', 'loan', 'in_kind')),
            CONSTRAINT ck_budget_source_amount_positive CHECK (amount > 0),
            CONSTRAINT fk_budget_source_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_budget_source_budget_id ON budget_source (budget_id)")


def downgrade() -> None:
    op.execute("DROP TABLE budget_note, budget_source")
