"""What is published about a pilot in words: each version written by one person and confirmed by another."""

from __future__ import annotations

from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE award_description (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            written_by UUID NOT NULL,
            written_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_award_description PRIMARY KEY (id),
            CONSTRAINT uq_award_description_application_id_number UNIQUE (application_id, number),
            CONSTRAINT ck_award_description_has_text CHECK (text <> ''),
            CONSTRAINT ck_award_description_confirmed_whole CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            CONSTRAINT ck_award_description_confirmed_by_another CHECK (confirmed_by <> written_by),
            CONSTRAINT fk_award_description_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_award_description_written_by FOREIGN KEY(written_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_award_description_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER award_description_written_once BEFORE UPDATE OR DELETE ON award_description FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER award_description_never_emptied BEFORE TRUNCATE ON award_description FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE award_description")
