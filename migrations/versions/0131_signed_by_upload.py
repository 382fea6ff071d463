"""Partners accede by an uploaded document; one may be withdrawn; a grant keeps the reply days of its call."""

from __future__ import annotations

from alembic import op

revision = "0131"
down_revision = "0130"
branch_labels = None
depends_on = None

_CHECKED = (
    "(state IN ('accepted', 'refused')) = (checked_by IS NOT NULL) AND (state = 'proposed') = (checked_at IS NULL)"
    " AND (checked_at IS NULL) = (words IS NULL)"
)
_CHECKED_BEFORE = (
    "(state = 'proposed') = (checked_by IS NULL) AND (checked_by IS NULL) = (checked_at IS NULL)"
    " AND (checked_by IS NULL) = (words IS NULL)"
)


def upgrade() -> None:
    op.execute(
        f"""
        ALTER TABLE signed_upload
            ADD COLUMN accession_id UUID,
            ADD CONSTRAINT fk_signed_upload_accession_id FOREIGN KEY(accession_id) REFERENCES accession (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT ck_signed_upload_accession_of_city CHECK (accession_id IS NULL OR side = 'city'),
            DROP CONSTRAINT ck_signed_upload_state_known,
            ADD CONSTRAINT ck_signed_upload_state_known CHECK (state IN ('proposed', 'accepted', 'refused', 'withdrawn')),
            DROP CONSTRAINT ck_signed_upload_checked_whole,
            ADD CONSTRAINT ck_signed_upload_checked_whole CHECK ({_CHECKED})
        """
    )
    op.execute("DROP INDEX uq_signed_upload_waiting")
    op.execute(
        "CREATE UNIQUE INDEX uq_signed_upload_waiting ON signed_upload (grant_id, offer_no, side) "
        "WHERE state = 'proposed' AND accession_id IS NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_signed_upload_waiting_accession ON signed_upload (accession_id) WHERE state = 'proposed'"
    )
    op.execute(
        """
        ALTER TABLE accession_signature
            ADD COLUMN upload_id UUID,
            ADD COLUMN signed_on DATE,
            ADD CONSTRAINT ck_accession_signature_uploaded_has_document CHECK ((upload_id IS NULL) = (signed_on IS NULL)),
            ADD CONSTRAINT fk_accession_signature_upload_id FOREIGN KEY(upload_id) REFERENCES signed_upload (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("ALTER TABLE grant_agreement ADD COLUMN reply_days INTEGER, ADD COLUMN opened_after_days INTEGER")
    # A grant of before keeps what its call says today, which is what was asked of it until now.
    op.execute(
        """
        UPDATE grant_agreement AS g SET
            reply_days = COALESCE((c.content #>> '{fields,agreement.amendment_reply_days,value}')::integer, 45),
            opened_after_days = COALESCE((c.content #>> '{fields,agreement.opened_after_days,value}')::integer, 10)
        FROM call AS c WHERE c.id = g.call_id
        """
    )
    op.execute(
        """
        ALTER TABLE grant_agreement
            ALTER COLUMN reply_days SET NOT NULL,
            ALTER COLUMN opened_after_days SET NOT NULL,
            ADD CONSTRAINT ck_grant_agreement_reply_in_range CHECK (reply_days BETWEEN 1 AND 365 AND opened_after_days BETWEEN 0 AND 90)
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM signed_upload WHERE accession_id IS NOT NULL OR state = 'withdrawn') THEN
            RAISE EXCEPTION 'partners acceded by documents, or documents were withdrawn: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE grant_agreement DROP COLUMN reply_days, DROP COLUMN opened_after_days")
    op.execute("ALTER TABLE accession_signature DROP COLUMN upload_id, DROP COLUMN signed_on")
    op.execute("DROP INDEX uq_signed_upload_waiting_accession")
    op.execute("DROP INDEX uq_signed_upload_waiting")
    op.execute(
        f"""
        ALTER TABLE signed_upload
            DROP COLUMN accession_id,
            DROP CONSTRAINT ck_signed_upload_state_known,
            ADD CONSTRAINT ck_signed_upload_state_known CHECK (state IN ('proposed', 'accepted', 'refused')),
            DROP CONSTRAINT ck_signed_upload_checked_whole,
            ADD CONSTRAINT ck_signed_upload_checked_whole CHECK ({_CHECKED_BEFORE})
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_signed_upload_waiting ON signed_upload (grant_id, offer_no, side) WHERE state = 'proposed'"
    )
