"""Who answered a condition, the second person of a refusal, and applications passed in one go."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

PEOPLE = ("confirmed_by", "proposed_by", "returned_by")


def _written_once(table: str, once: str, free: str) -> None:
    op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
    op.execute(
        f"""
        CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')
        """
    )


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE eligibility_check
            ADD COLUMN confirmed_by UUID,
            ADD COLUMN proposed_by UUID,
            ADD COLUMN proposed_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN proposed_reason TEXT,
            ADD COLUMN returned_by UUID,
            ADD COLUMN return_reason TEXT,
            ADD CONSTRAINT ck_eligibility_check_second_person CHECK (confirmed_by <> decided_by),
            ADD CONSTRAINT ck_eligibility_check_confirmed_has_verdict CHECK (confirmed_by IS NULL OR verdict IS NOT NULL),
            ADD CONSTRAINT ck_eligibility_check_proposed_whole CHECK (
                (proposed_by IS NULL) = (proposed_at IS NULL) AND (proposed_by IS NULL) = (proposed_reason IS NULL)
            ),
            ADD CONSTRAINT ck_eligibility_check_decided_is_not_proposed CHECK (verdict IS NULL OR proposed_by IS NULL),
            ADD CONSTRAINT ck_eligibility_check_returned_has_reason CHECK ((returned_by IS NULL) = (return_reason IS NULL))
        """
    )
    for column in PEOPLE:
        op.execute(
            f"ALTER TABLE eligibility_check ADD CONSTRAINT fk_eligibility_check_{column} "
            f"FOREIGN KEY({column}) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED"
        )
    op.execute(
        """
        ALTER TABLE eligibility_result
            ADD COLUMN answered_by UUID,
            ADD COLUMN answered_at TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT fk_eligibility_result_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    _written_once(
        "eligibility_check",
        "verdict,reason,decided_at,decided_by,confirmed_by",
        "saves,proposed_by,proposed_at,proposed_reason,returned_by,return_reason",
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_check_kept AFTER UPDATE ON eligibility_check
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )
    _written_once("eligibility_result", "", "verdict,reason,answered_by,answered_at")
    op.execute(
        """
        CREATE TABLE eligibility_batch (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            asked_by UUID NOT NULL,
            CONSTRAINT pk_eligibility_batch PRIMARY KEY (id),
            CONSTRAINT fk_eligibility_batch_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_batch_asked_by FOREIGN KEY(asked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_eligibility_batch_call_id ON eligibility_batch (call_id)")
    op.execute(
        """
        CREATE TABLE eligibility_batch_item (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            batch_id UUID NOT NULL,
            application_id UUID NOT NULL,
            submission_id UUID NOT NULL,
            job_id UUID NOT NULL,
            CONSTRAINT pk_eligibility_batch_item PRIMARY KEY (id),
            CONSTRAINT uq_eligibility_batch_item_batch_id_application_id UNIQUE (batch_id, application_id),
            CONSTRAINT fk_eligibility_batch_item_batch_id FOREIGN KEY(batch_id) REFERENCES eligibility_batch (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_batch_item_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_batch_item_submission_id FOREIGN KEY(submission_id) REFERENCES submission (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_batch_item_job_id FOREIGN KEY(job_id) REFERENCES job (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_eligibility_batch_item_application_id ON eligibility_batch_item (application_id)")


def downgrade() -> None:
    op.execute("DROP TABLE eligibility_batch, eligibility_batch_item")
    op.execute("DROP TRIGGER eligibility_check_kept ON eligibility_check")
    _written_once("eligibility_check", "verdict,reason,decided_at,decided_by", "saves")
    _written_once("eligibility_result", "", "verdict,reason")
    op.execute("ALTER TABLE eligibility_result DROP COLUMN answered_by, DROP COLUMN answered_at")
    dropped = (*PEOPLE, "proposed_at", "proposed_reason", "return_reason")
    op.execute("ALTER TABLE eligibility_check " + ", ".join(f"DROP COLUMN {column}" for column in dropped))
