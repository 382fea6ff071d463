"""Questions of the eligibility desk about a submission, with the one answer to each."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE clarification (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            submission_id UUID NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            conditions JSONB NOT NULL,
            questions JSONB NOT NULL,
            asked_by UUID NOT NULL,
            first_due_at TIMESTAMP WITH TIME ZONE NOT NULL,
            due_at TIMESTAMP WITH TIME ZONE NOT NULL,
            extension_reason TEXT,
            draft TEXT,
            drafted_by UUID,
            answer TEXT,
            answered_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            answer_sha256 BYTEA,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            withdrawn_by UUID,
            withdraw_reason TEXT,
            shared BOOLEAN NOT NULL,
            CONSTRAINT pk_clarification PRIMARY KEY (id),
            CONSTRAINT uq_clarification_application_id_number UNIQUE (application_id, number),
            CONSTRAINT ck_clarification_answer_whole CHECK (
                (answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)
                AND (answer IS NULL) = (answer_sha256 IS NULL)
            ),
            CONSTRAINT ck_clarification_answer_sha256_length CHECK (octet_length(answer_sha256) = 32),
            CONSTRAINT ck_clarification_withdrawn_whole CHECK (
                (withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)
            ),
            CONSTRAINT ck_clarification_answered_or_withdrawn CHECK (answered_at IS NULL OR withdrawn_at IS NULL),
            CONSTRAINT ck_clarification_answered_in_time CHECK (answered_at < due_at),
            CONSTRAINT ck_clarification_extension_has_reason CHECK (due_at = first_due_at OR extension_reason IS NOT NULL),
            CONSTRAINT fk_clarification_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_clarification_submission_id FOREIGN KEY(submission_id) REFERENCES submission (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_clarification_asked_by FOREIGN KEY(asked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_clarification_drafted_by FOREIGN KEY(drafted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_clarification_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_clarification_withdrawn_by FOREIGN KEY(withdrawn_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_clarification_submission_id ON clarification (submission_id)")
    op.execute(
        """
        CREATE TRIGGER clarification_written_once BEFORE UPDATE OR DELETE ON clarification
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('answer,answered_at,answered_by,answer_sha256,withdrawn_at,withdrawn_by,withdraw_reason', 'draft,drafted_by,due_at,extension_reason,shared')
        """
    )
    op.execute(
        """
        CREATE TRIGGER clarification_never_emptied BEFORE TRUNCATE ON clarification
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER clarification_kept AFTER UPDATE ON clarification
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE clarification")
