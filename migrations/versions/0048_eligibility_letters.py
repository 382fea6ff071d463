"""Letters that tell a team the verdict on admissibility and eligibility."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE eligibility_letter (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            check_id UUID NOT NULL,
            note TEXT,
            content JSONB,
            sha256 BYTEA,
            sent_at TIMESTAMP WITH TIME ZONE,
            sent_by UUID,
            CONSTRAINT pk_eligibility_letter PRIMARY KEY (id),
            CONSTRAINT uq_eligibility_letter_check_id UNIQUE (check_id),
            CONSTRAINT ck_eligibility_letter_sent_whole CHECK (
                (sent_at IS NULL) = (content IS NULL) AND (sent_at IS NULL) = (sha256 IS NULL)
                AND (sent_at IS NULL) = (sent_by IS NULL)
            ),
            CONSTRAINT ck_eligibility_letter_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT fk_eligibility_letter_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_letter_check_id FOREIGN KEY(check_id) REFERENCES eligibility_check (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_letter_sent_by FOREIGN KEY(sent_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_eligibility_letter_application_id ON eligibility_letter (application_id)")
    op.execute(
        """
        CREATE TRIGGER eligibility_letter_written_once BEFORE UPDATE OR DELETE ON eligibility_letter
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('content,sha256,sent_at,sent_by', 'note')
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_letter_never_emptied BEFORE TRUNCATE ON eligibility_letter
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_letter_kept AFTER UPDATE ON eligibility_letter
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE eligibility_letter")
