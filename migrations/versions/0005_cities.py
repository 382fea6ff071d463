"""Make the tables of cities."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE city (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            slug TEXT NOT NULL,
            name TEXT NOT NULL,
            local_name TEXT,
            country_code TEXT NOT NULL,
            mission_city BOOLEAN NOT NULL,
            label_status TEXT NOT NULL,
            label_awarded TEXT,
            population INTEGER,
            part_of_id UUID,
            organisation_id UUID,
            source_url TEXT,
            confidence TEXT,
            note TEXT,
            synthetic BOOLEAN NOT NULL,
            folded TEXT NOT NULL,
            CONSTRAINT pk_city PRIMARY KEY (id),
            CONSTRAINT uq_city_country_code_name UNIQUE (country_code, name),
            CONSTRAINT ck_city_country_is_iso CHECK (country_code ~ '^[A-Z]{2}$'),
            CONSTRAINT ck_city_population_positive CHECK (population IS NULL OR population > 0),
            CONSTRAINT ck_city_label_awarded_is_iso CHECK (label_awarded IS NULL OR label_awarded ~ '^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$'),
            CONSTRAINT ck_city_only_labels_are_awarded CHECK (label_awarded IS NULL OR label_status = 'labelled'),
            CONSTRAINT ck_city_label_is_for_mission_cities CHECK (mission_city OR label_status = 'not_applicable'),
            CONSTRAINT ck_city_not_part_of_itself CHECK (part_of_id IS NULL OR part_of_id <> id),
            CONSTRAINT ck_city_label_status_known CHECK (label_status IN ('labelled', 'not_found', 'not_applicable')),
            CONSTRAINT uq_city_slug UNIQUE (slug),
            CONSTRAINT fk_city_part_of_id FOREIGN KEY(part_of_id) REFERENCES city (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_city_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_city_country_code ON city (country_code)")
    op.execute("CREATE INDEX ix_city_part_of_id ON city (part_of_id)")
    op.execute("CREATE INDEX ix_city_organisation_id ON city (organisation_id)")
    op.execute(
        """
        CREATE TABLE participation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            city_id UUID NOT NULL,
            call_label TEXT NOT NULL,
            pilot_key TEXT NOT NULL,
            pilot_title TEXT,
            role TEXT NOT NULL,
            source_url TEXT,
            confidence TEXT,
            CONSTRAINT pk_participation PRIMARY KEY (id),
            CONSTRAINT uq_participation_city_id_call_label_pilot_key UNIQUE (city_id, call_label, pilot_key),
            CONSTRAINT ck_participation_role_known CHECK (role IN ('lead', 'partner', 'member')),
            CONSTRAINT fk_participation_city_id FOREIGN KEY(city_id) REFERENCES city (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_participation_city_id ON participation (city_id)")


def downgrade() -> None:
    op.execute("DROP TABLE city, participation")
