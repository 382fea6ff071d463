"""Partners accede to an agreement in force."""

from __future__ import annotations

from alembic import op

revision = "0114"
down_revision = "0113"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE accession (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            opened_version INTEGER NOT NULL,
            due_on DATE NOT NULL,
            acceded_at TIMESTAMP WITH TIME ZONE,
            acceded_version INTEGER,
            ended_at TIMESTAMP WITH TIME ZONE,
            ended_by UUID,
            end_reason TEXT,
            told_late_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_accession PRIMARY KEY (id),
            CONSTRAINT uq_accession_grant_id_organisation_id UNIQUE (grant_id, organisation_id),
            CONSTRAINT ck_accession_of_a_version CHECK (opened_version > 0),
            CONSTRAINT ck_accession_acceded_to_a_version CHECK ((acceded_at IS NULL) = (acceded_version IS NULL)),
            CONSTRAINT ck_accession_ended_whole CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason IS NULL)),
            CONSTRAINT ck_accession_one_end CHECK (acceded_at IS NULL OR ended_at IS NULL),
            CONSTRAINT fk_accession_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_accession_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_accession_ended_by FOREIGN KEY(ended_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE INDEX ix_accession_waiting ON accession (due_on, grant_id) WHERE acceded_at IS NULL AND ended_at IS NULL"
    )
    op.execute(
        "CREATE TRIGGER accession_written_once BEFORE UPDATE OR DELETE ON accession FOR EACH ROW EXECUTE FUNCTION "
        "refuse_rewriting('acceded_at,acceded_version,ended_at,ended_by,end_reason,told_late_at', '')"
    )
    op.execute(
        "CREATE TRIGGER accession_never_emptied BEFORE TRUNCATE ON accession FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE TABLE accession_signature (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            accession_id UUID NOT NULL,
            version_no INTEGER NOT NULL,
            signed_by UUID NOT NULL,
            signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            name TEXT NOT NULL,
            capacity TEXT NOT NULL,
            power_id UUID NOT NULL,
            power TEXT NOT NULL,
            document_sha256 BYTEA NOT NULL,
            CONSTRAINT pk_accession_signature PRIMARY KEY (id),
            CONSTRAINT uq_accession_signature_accession_id_version_no_signed_by UNIQUE (accession_id, version_no, signed_by),
            CONSTRAINT ck_accession_signature_of_a_version CHECK (version_no > 0),
            CONSTRAINT ck_accession_signature_document_sha256_length CHECK (octet_length(document_sha256) = 32),
            CONSTRAINT fk_accession_signature_accession_id FOREIGN KEY(accession_id) REFERENCES accession (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_accession_signature_signed_by FOREIGN KEY(signed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_accession_signature_power_id FOREIGN KEY(power_id) REFERENCES preparation_fact (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER accession_signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accession_signature "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM accession) THEN
            RAISE EXCEPTION 'partners were asked to accede to an agreement: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE accession_signature, accession")
