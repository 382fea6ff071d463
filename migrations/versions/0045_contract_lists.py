"""Actions and barriers of a city's Climate City Contract, and which of them each application serves."""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE city_action (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            city_id UUID NOT NULL,
            number TEXT NOT NULL,
            title TEXT NOT NULL,
            kind TEXT NOT NULL,
            domain TEXT,
            source TEXT NOT NULL,
            year INTEGER,
            synthetic BOOLEAN NOT NULL,
            withdrawn_on DATE,
            withdrawn_why TEXT,
            CONSTRAINT pk_city_action PRIMARY KEY (id),
            CONSTRAINT uq_city_action_city_id_number UNIQUE (city_id, number),
            CONSTRAINT ck_city_action_kind_known CHECK (kind IN ('action', 'barrier')),
            CONSTRAINT ck_city_action_domain_known CHECK (domain IN ('energy', 'buildings', 'mobility', 'waste', 'land_use', 'industry')),
            CONSTRAINT ck_city_action_year_is_plausible CHECK (year BETWEEN 1990 AND 2100),
            CONSTRAINT ck_city_action_withdrawn_has_reason CHECK ((withdrawn_on IS NULL) = (withdrawn_why IS NULL)),
            CONSTRAINT fk_city_action_city_id FOREIGN KEY(city_id) REFERENCES city (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE application_serving (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            position INTEGER NOT NULL,
            action_id UUID,
            own_title TEXT,
            sentence TEXT NOT NULL,
            CONSTRAINT pk_application_serving PRIMARY KEY (id),
            CONSTRAINT uq_application_serving_application_id_position UNIQUE (application_id, position) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT ck_application_serving_listed_or_own CHECK ((action_id IS NULL) <> (own_title IS NULL)),
            CONSTRAINT fk_application_serving_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_serving_action_id FOREIGN KEY(action_id) REFERENCES city_action (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_application_serving_action_id ON application_serving (action_id)")


def downgrade() -> None:
    op.execute("DROP TABLE application_serving")
    op.execute("DROP TABLE city_action")
