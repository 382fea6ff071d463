"""Who is asked to write a section, comments on its questions, and the people of an application beside those who speak for a partner."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


_BEFORE = (
    *(
        "administrator",
        "programme_manager",
        "eligibility_officer",
        "project_officer",
        "evaluator",
        "assigned_evaluator",
    ),
    *("panel_chair", "panel_member", "finance_initiator", "finance_verifier", "authorising_officer"),
    *("accounting_officer", "auditor", "applicant", "application_lead", "application_partner", "signatory"),
    "programme_signatory",
)
_NOW = (
    *_BEFORE[:15],
    *("application_editor", "application_partner", "application_signatory", "application_reader"),
    *_BEFORE[16:],
)


def _roles(known: tuple[str, ...]) -> str:
    names = ", ".join(f"'{role}'" for role in known)
    return (
        "ALTER TABLE role_grant DROP CONSTRAINT ck_role_grant_role_known, "
        f"ADD CONSTRAINT ck_role_grant_role_known CHECK (role IN ({names}))"
    )


def upgrade() -> None:
    op.execute(_roles(_NOW))
    op.execute("ALTER TABLE dossier_section ADD COLUMN asked_id UUID")
    op.execute(
        """
        CREATE TABLE dossier_thread (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            dossier_id UUID NOT NULL,
            section_key TEXT NOT NULL,
            question_key TEXT NOT NULL,
            resolved_at TIMESTAMP WITH TIME ZONE,
            resolved_by UUID,
            CONSTRAINT pk_dossier_thread PRIMARY KEY (id),
            CONSTRAINT ck_dossier_thread_resolved_by_somebody CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
            CONSTRAINT fk_dossier_thread_dossier_id FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_dossier_thread_section ON dossier_thread (dossier_id, section_key)")
    op.execute(
        """
        CREATE TABLE dossier_comment (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            thread_id UUID NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            written_by UUID NOT NULL,
            CONSTRAINT pk_dossier_comment PRIMARY KEY (id),
            CONSTRAINT uq_dossier_comment_thread_id_number UNIQUE (thread_id, number),
            CONSTRAINT fk_dossier_comment_thread_id FOREIGN KEY(thread_id) REFERENCES dossier_thread (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER dossier_comment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dossier_comment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TABLE application_member (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            user_id UUID NOT NULL,
            invited_name TEXT NOT NULL,
            joined_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_application_member PRIMARY KEY (id),
            CONSTRAINT uq_application_member_application_id_user_id UNIQUE (application_id, user_id),
            CONSTRAINT fk_application_member_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_member_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_application_member_user_id ON application_member (user_id)")


def downgrade() -> None:
    op.execute("DROP TABLE application_member, dossier_comment, dossier_thread")
    # The program of before knows no such roles.
    op.execute(
        "DELETE FROM role_grant WHERE role IN ('application_editor', 'application_signatory', 'application_reader')"
    )
    op.execute(_roles(_BEFORE))
    op.execute("ALTER TABLE dossier_section DROP COLUMN asked_id")
