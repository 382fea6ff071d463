"""Signed documents that are uploaded and checked, instead of signatures that are recorded here."""

from __future__ import annotations

from alembic import op

revision = "0115"
down_revision = "0114"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE signed_upload (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            offer_no INTEGER NOT NULL,
            side TEXT NOT NULL,
            kind TEXT NOT NULL,
            file_id UUID NOT NULL,
            original_kept_at TEXT,
            signers JSONB NOT NULL,
            uploaded_by UUID NOT NULL,
            uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            findings JSONB,
            read_at TIMESTAMP WITH TIME ZONE,
            state TEXT NOT NULL,
            checked_by UUID,
            checked_at TIMESTAMP WITH TIME ZONE,
            words TEXT,
            CONSTRAINT pk_signed_upload PRIMARY KEY (id),
            CONSTRAINT uq_signed_upload_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT fk_signed_upload_grant_id_offer_no FOREIGN KEY(grant_id, offer_no) REFERENCES agreement_offer (grant_id, offer_no) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT ck_signed_upload_side_known CHECK (side IN ('city', 'programme')),
            CONSTRAINT ck_signed_upload_kind_known CHECK (kind IN ('qualified', 'scan')),
            CONSTRAINT ck_signed_upload_state_known CHECK (state IN ('proposed', 'accepted', 'refused')),
            CONSTRAINT ck_signed_upload_number_counts CHECK (number > 0),
            CONSTRAINT ck_signed_upload_scan_has_original CHECK ((kind = 'scan') = (original_kept_at IS NOT NULL)),
            CONSTRAINT ck_signed_upload_read_whole CHECK ((findings IS NULL) = (read_at IS NULL)),
            CONSTRAINT ck_signed_upload_checked_whole CHECK ((state = 'proposed') = (checked_by IS NULL) AND (checked_by IS NULL) = (checked_at IS NULL) AND (checked_by IS NULL) = (words IS NULL)),
            CONSTRAINT ck_signed_upload_two_people CHECK (checked_by <> uploaded_by),
            CONSTRAINT ck_signed_upload_accepted_was_read CHECK (state <> 'accepted' OR findings IS NOT NULL),
            CONSTRAINT fk_signed_upload_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_signed_upload_file_id FOREIGN KEY(file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_signed_upload_uploaded_by FOREIGN KEY(uploaded_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_signed_upload_checked_by FOREIGN KEY(checked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_signed_upload_waiting ON signed_upload (grant_id, offer_no, side) WHERE state = 'proposed'"
    )
    op.execute(
        "CREATE TRIGGER signed_upload_written_once BEFORE UPDATE OR DELETE ON signed_upload FOR EACH ROW EXECUTE FUNCTION "
        "refuse_rewriting('findings,read_at,checked_by,checked_at,words', 'state')"
    )
    op.execute(
        "CREATE TRIGGER signed_upload_never_emptied BEFORE TRUNCATE ON signed_upload FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        ALTER TABLE agreement_signature
            ADD COLUMN upload_id UUID,
            ADD COLUMN signed_on DATE,
            DROP CONSTRAINT ck_agreement_signature_method_known,
            ADD CONSTRAINT ck_agreement_signature_method_known CHECK (method IN ('recorded', 'uploaded')),
            ADD CONSTRAINT ck_agreement_signature_uploaded_has_document CHECK ((method = 'uploaded') = (upload_id IS NOT NULL) AND (upload_id IS NULL) = (signed_on IS NULL)),
            ADD CONSTRAINT fk_agreement_signature_upload_id FOREIGN KEY(upload_id) REFERENCES signed_upload (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("DROP INDEX uq_agreement_signature_person")
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_signature_person ON agreement_signature (grant_id, offer_no, signed_by)"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM signed_upload) THEN
            RAISE EXCEPTION 'signed documents were uploaded: they would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP INDEX uq_agreement_signature_person")
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_signature_person ON agreement_signature (grant_id, offer_no, signed_by) "
        "WHERE method = 'recorded'"
    )
    op.execute(
        """
        ALTER TABLE agreement_signature
            DROP CONSTRAINT ck_agreement_signature_uploaded_has_document,
            DROP CONSTRAINT ck_agreement_signature_method_known,
            DROP COLUMN upload_id,
            DROP COLUMN signed_on,
            ADD CONSTRAINT ck_agreement_signature_method_known CHECK (method IN ('recorded'))
        """
    )
    op.execute("DROP TABLE signed_upload")
