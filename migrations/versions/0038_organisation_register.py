"""The register of organisations: facts with their history and validation, decisions about entries that look alike."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE organisation ADD COLUMN same_as_id UUID")
    op.execute(
        "ALTER TABLE organisation ADD CONSTRAINT fk_organisation_same_as_id FOREIGN KEY(same_as_id) "
        "REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED"
    )
    op.execute("ALTER TABLE organisation ADD CONSTRAINT ck_organisation_not_same_as_itself CHECK (same_as_id <> id)")
    op.execute("CREATE INDEX ix_organisation_same_as_id ON organisation (same_as_id)")
    op.execute(
        """
        CREATE TABLE organisation_fact (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            organisation_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            value TEXT NOT NULL,
            source TEXT,
            person_id UUID,
            validated_on DATE,
            valid_until DATE,
            CONSTRAINT pk_organisation_fact PRIMARY KEY (id),
            CONSTRAINT uq_organisation_fact_organisation_id_number UNIQUE (organisation_id, number),
            CONSTRAINT ck_organisation_fact_kind_known CHECK (kind IN ('legal_name', 'pic', 'vat', 'registration', 'legal_form', 'public_body', 'registered_address', 'contact_address', 'website')),
            CONSTRAINT ck_organisation_fact_validated_is_there CHECK (validated_on IS NULL OR (value <> '' AND person_id IS NOT NULL)),
            CONSTRAINT ck_organisation_fact_valid_for_a_time CHECK (valid_until IS NULL OR valid_until > validated_on),
            CONSTRAINT ck_organisation_fact_valid_if_validated CHECK (validated_on IS NOT NULL OR valid_until IS NULL),
            CONSTRAINT fk_organisation_fact_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_organisation_fact_person_id FOREIGN KEY(person_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_organisation_fact_kind ON organisation_fact (organisation_id, kind, number)")
    op.execute("CREATE INDEX ix_organisation_fact_value ON organisation_fact (kind, value)")
    op.execute(
        """
        CREATE TABLE organisation_double (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            organisation_id UUID NOT NULL,
            other_id UUID NOT NULL,
            number INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT NOT NULL,
            decided_by UUID NOT NULL,
            CONSTRAINT pk_organisation_double PRIMARY KEY (id),
            CONSTRAINT uq_organisation_double_organisation_id_other_id_number UNIQUE (organisation_id, other_id, number),
            CONSTRAINT ck_organisation_double_verdict_known CHECK (verdict IN ('same', 'apart')),
            CONSTRAINT ck_organisation_double_pair_in_order CHECK (organisation_id < other_id),
            CONSTRAINT fk_organisation_double_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_organisation_double_other_id FOREIGN KEY(other_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_organisation_double_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_organisation_double_other_id ON organisation_double (other_id)")
    for table in ("organisation_fact", "organisation_double"):
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )


def downgrade() -> None:
    op.execute("DROP TABLE organisation_double")
    op.execute("DROP TABLE organisation_fact")
    op.execute("ALTER TABLE organisation DROP COLUMN same_as_id")
