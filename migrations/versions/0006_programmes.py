"""Make the tables of programmes."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE fund_source (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number TEXT NOT NULL,
            acronym TEXT NOT NULL,
            framework TEXT NOT NULL,
            starts_on DATE,
            ends_on DATE,
            CONSTRAINT pk_fund_source PRIMARY KEY (id),
            CONSTRAINT ck_fund_source_in_order CHECK (starts_on IS NULL OR ends_on IS NULL OR starts_on <= ends_on),
            CONSTRAINT uq_fund_source_number UNIQUE (number)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE programme (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            slug TEXT NOT NULL,
            code TEXT NOT NULL,
            name TEXT NOT NULL,
            organisation_id UUID,
            CONSTRAINT pk_programme PRIMARY KEY (id),
            CONSTRAINT ck_programme_code_is_capitals CHECK (code ~ '^[A-Z]{2,6}$'),
            CONSTRAINT ck_programme_slug_is_plain CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
            CONSTRAINT uq_programme_slug UNIQUE (slug),
            CONSTRAINT uq_programme_code UNIQUE (code),
            CONSTRAINT fk_programme_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_programme_organisation_id ON programme (organisation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE fund_source, programme")
