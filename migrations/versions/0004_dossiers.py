"""Make the tables of dossiers."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE dossier (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            owner_kind TEXT NOT NULL,
            owner_id UUID NOT NULL,
            definition JSONB NOT NULL,
            CONSTRAINT pk_dossier PRIMARY KEY (id),
            CONSTRAINT uq_dossier_owner_kind_owner_id UNIQUE (owner_kind, owner_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE dossier_answer (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            dossier_id UUID NOT NULL,
            section_key TEXT NOT NULL,
            question_key TEXT NOT NULL,
            text TEXT NOT NULL,
            picked JSONB NOT NULL,
            number INTEGER NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            saved_by UUID,
            CONSTRAINT pk_dossier_answer PRIMARY KEY (id),
            CONSTRAINT uq_dossier_answer_dossier_id_question_key UNIQUE (dossier_id, question_key),
            CONSTRAINT fk_dossier_answer_dossier_id FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE dossier_section (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            dossier_id UUID NOT NULL,
            key TEXT NOT NULL,
            position INTEGER NOT NULL,
            marked_complete_at TIMESTAMP WITH TIME ZONE,
            marked_complete_by UUID,
            saves INTEGER NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE,
            saved_by UUID,
            CONSTRAINT pk_dossier_section PRIMARY KEY (id),
            CONSTRAINT uq_dossier_section_dossier_id_key UNIQUE (dossier_id, key),
            CONSTRAINT ck_dossier_section_saved_has_time CHECK ((saves = 0) = (saved_at IS NULL)),
            CONSTRAINT fk_dossier_section_dossier_id FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE dossier_answer_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            answer_id UUID NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            picked JSONB NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            saved_by UUID,
            CONSTRAINT pk_dossier_answer_version PRIMARY KEY (id),
            CONSTRAINT uq_dossier_answer_version_answer_id_number UNIQUE (answer_id, number),
            CONSTRAINT fk_dossier_answer_version_answer_id FOREIGN KEY(answer_id) REFERENCES dossier_answer (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER dossier_answer_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dossier_answer_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE dossier, dossier_answer, dossier_answer_version, dossier_section")
