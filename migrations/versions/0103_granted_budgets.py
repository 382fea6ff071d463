"""A grant's own budget and description of action, their revision in preparation, and what was said of it."""

from __future__ import annotations

from alembic import op

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE grant_agreement ADD COLUMN dossier_id UUID")
    op.execute(
        "ALTER TABLE grant_agreement ADD CONSTRAINT fk_grant_agreement_dossier_id "
        "FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED"
    )
    op.execute(
        """
        CREATE TABLE grant_revision (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            state TEXT NOT NULL,
            CONSTRAINT pk_grant_revision PRIMARY KEY (id),
            CONSTRAINT uq_grant_revision_grant_id UNIQUE (grant_id),
            CONSTRAINT ck_grant_revision_state_known CHECK (state IN ('draft', 'sent', 'returned', 'accepted', 'none_needed')),
            CONSTRAINT fk_grant_revision_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE revision_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            words TEXT NOT NULL,
            content JSONB NOT NULL,
            sha256 BYTEA NOT NULL,
            sent_by UUID NOT NULL,
            sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_revision_version PRIMARY KEY (id),
            CONSTRAINT uq_revision_version_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT uq_revision_version_id_sent_by UNIQUE (id, sent_by),
            CONSTRAINT ck_revision_version_kind_known CHECK (kind IN ('sent', 'none_needed')),
            CONSTRAINT ck_revision_version_number_counts CHECK (number > 0),
            CONSTRAINT ck_revision_version_none_needed_has_words CHECK (kind <> 'none_needed' OR words <> ''),
            CONSTRAINT ck_revision_version_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT fk_revision_version_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_revision_version_sent_by FOREIGN KEY(sent_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE revision_verdict (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            revision_id UUID NOT NULL,
            number INTEGER NOT NULL,
            sent_by UUID NOT NULL,
            verdict TEXT NOT NULL,
            words TEXT NOT NULL,
            decided_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_revision_verdict PRIMARY KEY (id),
            CONSTRAINT uq_revision_verdict_revision_id_number UNIQUE (revision_id, number),
            CONSTRAINT ck_revision_verdict_verdict_known CHECK (verdict IN ('accepted', 'returned')),
            CONSTRAINT ck_revision_verdict_number_counts CHECK (number > 0),
            CONSTRAINT ck_revision_verdict_two_people CHECK (decided_by <> sent_by),
            CONSTRAINT ck_revision_verdict_returned_has_words CHECK (verdict <> 'returned' OR words <> ''),
            CONSTRAINT fk_revision_verdict_revision_id_sent_by FOREIGN KEY(revision_id, sent_by) REFERENCES revision_version (id, sent_by) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_revision_verdict_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    for table in ("revision_version", "revision_verdict"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    # Budgets of grants, and what cities revised in them, cannot be said in the older form.
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM grant_revision) THEN
            RAISE EXCEPTION 'grants have budgets of their own: their revisions would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE revision_verdict, revision_version, grant_revision")
    op.execute("ALTER TABLE grant_agreement DROP CONSTRAINT fk_grant_agreement_dossier_id")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN dossier_id")
