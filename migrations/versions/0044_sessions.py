"""Information sessions of a call, its privacy notice in versions, and who accepted which."""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("application_notice", "call_privacy_notice")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE call_session (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            title TEXT NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
            place TEXT NOT NULL,
            link TEXT,
            recording TEXT,
            cancelled_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_call_session PRIMARY KEY (id),
            CONSTRAINT uq_call_session_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_call_session_ends_after_start CHECK (ends_at > starts_at),
            CONSTRAINT fk_call_session_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE call_privacy_notice (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            content JSONB NOT NULL,
            note TEXT,
            published_by UUID NOT NULL,
            CONSTRAINT pk_call_privacy_notice PRIMARY KEY (id),
            CONSTRAINT uq_call_privacy_notice_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_call_privacy_notice_later_has_note CHECK ((number = 1) = (note IS NULL)),
            CONSTRAINT fk_call_privacy_notice_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_call_privacy_notice_published_by FOREIGN KEY(published_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE application_notice (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            user_id UUID NOT NULL,
            number INTEGER NOT NULL,
            CONSTRAINT pk_application_notice PRIMARY KEY (id),
            CONSTRAINT uq_application_notice_application_id_user_id_number UNIQUE (application_id, user_id, number),
            CONSTRAINT fk_application_notice_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_notice_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TABLE application_notice, call_privacy_notice, call_session")
