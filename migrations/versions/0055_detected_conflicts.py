"""What the program finds that may be a conflict is kept with its evidence and what a person decided; people have an ORCID iD."""

from __future__ import annotations

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TABLE = "detected_conflict"
KINDS = (
    "'own_application', 'same_person', 'competing_bid', 'own_organisation', 'same_number', 'same_city', 'same_country',"
    " 'mail_domain', 'past_consortium', 'similar_person', 'similar_organisation'"
)


def upgrade() -> None:
    op.execute("ALTER TABLE user_account ADD COLUMN orcid TEXT")
    op.execute("CREATE INDEX ix_user_account_orcid ON user_account (orcid)")
    op.execute(
        "ALTER TABLE user_account ADD CONSTRAINT ck_user_account_orcid_form"
        " CHECK (orcid ~ '^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$')"
    )
    op.execute(
        f"""
        CREATE TABLE {TABLE} (
            user_id UUID NOT NULL CONSTRAINT fk_{TABLE}_user_id REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            application_id UUID NOT NULL CONSTRAINT fk_{TABLE}_application_id REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            organisation_id UUID CONSTRAINT fk_{TABLE}_organisation_id REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            kind TEXT NOT NULL,
            evidence TEXT NOT NULL,
            state TEXT NOT NULL,
            found_at TIMESTAMPTZ NOT NULL,
            decided_by UUID CONSTRAINT fk_{TABLE}_decided_by REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            decided_at TIMESTAMPTZ,
            decision_reason TEXT,
            id UUID NOT NULL,
            created_at TIMESTAMPTZ NOT NULL,
            version INTEGER NOT NULL,
            CONSTRAINT pk_{TABLE} PRIMARY KEY (id),
            CONSTRAINT uq_{TABLE}_fact
                UNIQUE NULLS NOT DISTINCT (user_id, application_id, kind, organisation_id),
            CONSTRAINT ck_{TABLE}_kind_known CHECK (kind IN ({KINDS})),
            CONSTRAINT ck_{TABLE}_state_known CHECK (state IN ('proposed', 'confirmed', 'dismissed', 'gone')),
            CONSTRAINT ck_{TABLE}_has_evidence CHECK (evidence <> ''),
            CONSTRAINT ck_{TABLE}_decision_has_time CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
            CONSTRAINT ck_{TABLE}_decision_has_reason CHECK ((decided_by IS NULL) = (decision_reason IS NULL)),
            CONSTRAINT ck_{TABLE}_not_ones_own_decision CHECK (decided_by <> user_id),
            CONSTRAINT ck_{TABLE}_a_person_dismisses CHECK (state <> 'dismissed' OR decided_by IS NOT NULL)
        )
        """
    )
    op.execute(f"CREATE INDEX ix_{TABLE}_application_id ON {TABLE} (application_id, state)")
    op.execute(f"CREATE INDEX ix_{TABLE}_organisation_id ON {TABLE} (organisation_id)")


def downgrade() -> None:
    op.execute(f"DROP TABLE {TABLE}")
    op.execute("ALTER TABLE user_account DROP COLUMN orcid")
