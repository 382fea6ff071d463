"""Conversations on the record, and the questions of a call that are answered for everybody."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("call_question_version", "conversation_message")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE conversation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            reference TEXT NOT NULL,
            queue TEXT NOT NULL,
            state TEXT NOT NULL,
            about_kind TEXT NOT NULL,
            about_id UUID NOT NULL,
            within_id UUID NOT NULL,
            section TEXT,
            title TEXT NOT NULL,
            excerpt TEXT NOT NULL,
            opened_by UUID NOT NULL,
            assigned_to UUID,
            waiting_since TIMESTAMP WITH TIME ZONE,
            first_answered_at TIMESTAMP WITH TIME ZONE,
            answered_apart_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_conversation PRIMARY KEY (id),
            CONSTRAINT uq_conversation_reference UNIQUE (reference),
            CONSTRAINT ck_conversation_state_known CHECK (state IN ('waiting', 'asked_back', 'answered', 'closed')),
            CONSTRAINT ck_conversation_queue_known CHECK (queue IN ('public', 'content', 'technical')),
            CONSTRAINT ck_conversation_waiting_has_moment CHECK ((state = 'waiting') = (waiting_since IS NOT NULL)),
            CONSTRAINT fk_conversation_opened_by FOREIGN KEY(opened_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_conversation_assigned_to FOREIGN KEY(assigned_to) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_conversation_desk ON conversation (within_id, queue, state, reference)")
    op.execute("CREATE INDEX ix_conversation_about ON conversation (about_id, reference)")
    op.execute("CREATE INDEX ix_conversation_opened_by ON conversation (opened_by, reference)")
    op.execute(
        """
        CREATE TABLE conversation_message (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            conversation_id UUID NOT NULL,
            number INTEGER NOT NULL,
            side TEXT NOT NULL,
            written_by UUID NOT NULL,
            text TEXT NOT NULL,
            CONSTRAINT pk_conversation_message PRIMARY KEY (id),
            CONSTRAINT uq_conversation_message_conversation_id_number UNIQUE (conversation_id, number),
            CONSTRAINT ck_conversation_message_side_known CHECK (side IN ('person', 'desk')),
            CONSTRAINT fk_conversation_message_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_conversation_message_written_by FOREIGN KEY(written_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE call_question (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            entry INTEGER NOT NULL,
            number INTEGER,
            question TEXT NOT NULL,
            answer TEXT NOT NULL,
            section TEXT,
            session INTEGER,
            published_at TIMESTAMP WITH TIME ZONE,
            versions INTEGER NOT NULL,
            told INTEGER NOT NULL,
            CONSTRAINT pk_call_question PRIMARY KEY (id),
            CONSTRAINT uq_call_question_call_id_entry UNIQUE (call_id, entry),
            CONSTRAINT uq_call_question_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_call_question_numbered_is_published CHECK ((number IS NULL) = (published_at IS NULL)),
            CONSTRAINT ck_call_question_published_has_version CHECK ((number IS NULL) = (versions = 0)),
            CONSTRAINT ck_call_question_told_of_versions CHECK (told BETWEEN 0 AND versions),
            CONSTRAINT fk_call_question_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE call_question_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            question_id UUID NOT NULL,
            number INTEGER NOT NULL,
            question TEXT NOT NULL,
            answer TEXT NOT NULL,
            note TEXT,
            published_by UUID NOT NULL,
            CONSTRAINT pk_call_question_version PRIMARY KEY (id),
            CONSTRAINT uq_call_question_version_question_id_number UNIQUE (question_id, number),
            CONSTRAINT ck_call_question_version_correction_has_note CHECK ((number = 1) = (note IS NULL)),
            CONSTRAINT fk_call_question_version_question_id FOREIGN KEY(question_id) REFERENCES call_question (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_call_question_version_published_by FOREIGN KEY(published_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE call_question_source (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            question_id UUID NOT NULL,
            conversation_id UUID NOT NULL,
            CONSTRAINT pk_call_question_source PRIMARY KEY (id),
            CONSTRAINT uq_call_question_source_conversation_id UNIQUE (conversation_id),
            CONSTRAINT fk_call_question_source_question_id FOREIGN KEY(question_id) REFERENCES call_question (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_call_question_source_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_call_question_source_question_id ON call_question_source (question_id)")
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute(
        "DROP TABLE call_question_source, call_question_version, call_question, conversation_message, conversation"
    )
