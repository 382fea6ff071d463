"""Published versions of a call with their working copy, which version an application answers, extensions for one applicant."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _versions()
    _beside_calls()
    _applications()
    _set_aside()


def _versions() -> None:
    op.execute("ALTER TABLE call ADD COLUMN version_number INTEGER NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE call ALTER COLUMN version_number DROP DEFAULT")
    op.execute("UPDATE call SET version_number = 1 WHERE published_at IS NOT NULL")
    op.execute(
        "ALTER TABLE call ADD CONSTRAINT ck_call_published_has_version"
        " CHECK (state <> 'published' OR version_number >= 1)"
    )
    op.execute(
        """
        CREATE TABLE call_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            correction INTEGER NOT NULL,
            kind TEXT NOT NULL,
            published_at TIMESTAMP WITH TIME ZONE NOT NULL,
            published_by UUID,
            reason TEXT NOT NULL,
            changes JSONB NOT NULL,
            content JSONB NOT NULL,
            deadline_decision TEXT,
            deadline_reason TEXT NOT NULL,
            CONSTRAINT pk_call_version PRIMARY KEY (id),
            CONSTRAINT uq_call_version_call_id_number_correction UNIQUE (call_id, number, correction),
            CONSTRAINT ck_call_version_kind_known CHECK (kind IN ('published', 'corrigendum', 'correction')),
            CONSTRAINT ck_call_version_counted_from_one CHECK (number >= 1 AND correction >= 0),
            CONSTRAINT ck_call_version_correction_is_counted CHECK ((kind = 'correction') = (correction > 0)),
            CONSTRAINT ck_call_version_change_has_reason CHECK (kind = 'published' OR reason <> ''),
            CONSTRAINT ck_call_version_corrigendum_reviews_deadline CHECK ((kind = 'corrigendum') = (deadline_decision IS NOT NULL) AND (deadline_decision IS NULL OR deadline_reason <> '')),
            CONSTRAINT fk_call_version_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    # What is published already is the first version of its call.
    op.execute(
        """
        INSERT INTO call_version (id, created_at, version, call_id, number, correction, kind, published_at, reason,
            changes, content, deadline_reason)
        SELECT gen_random_uuid(), published_at, 1, id, 1, 0, 'published', published_at, '', '[]', content, ''
        FROM call WHERE published_at IS NOT NULL
        """
    )
    op.execute(
        "CREATE TRIGGER call_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_version"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _beside_calls() -> None:
    op.execute(
        """
        CREATE TABLE call_working_copy (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            content JSONB NOT NULL,
            CONSTRAINT pk_call_working_copy PRIMARY KEY (id),
            CONSTRAINT uq_call_working_copy_call_id UNIQUE (call_id),
            CONSTRAINT fk_call_working_copy_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE call_one_extension (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            given_at TIMESTAMP WITH TIME ZONE NOT NULL,
            reason TEXT NOT NULL,
            CONSTRAINT pk_call_one_extension PRIMARY KEY (id),
            CONSTRAINT ck_call_one_extension_has_reason CHECK (reason <> ''),
            CONSTRAINT fk_call_one_extension_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_call_one_extension_call_id ON call_one_extension (call_id)")
    op.execute(
        "CREATE TRIGGER call_one_extension_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_one_extension"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _applications() -> None:
    for table, name in (
        ("application", "call_version"),
        ("application", "call_version_read"),
        ("submission", "call_version"),
    ):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} INTEGER NOT NULL DEFAULT 1")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT")
    op.execute("ALTER TABLE application ADD COLUMN own_closes_at TIMESTAMP WITH TIME ZONE")
    op.execute("ALTER TABLE application ADD COLUMN own_closes_reason TEXT")
    op.execute(
        "ALTER TABLE application ADD CONSTRAINT ck_application_read_up_to_its_version"
        " CHECK (call_version_read BETWEEN 1 AND call_version)"
    )
    op.execute(
        "ALTER TABLE application ADD CONSTRAINT ck_application_own_deadline_has_reason"
        " CHECK ((own_closes_at IS NULL) = (own_closes_reason IS NULL))"
    )


def _set_aside() -> None:
    op.execute("ALTER TABLE budget ADD COLUMN dropped JSONB NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE budget ALTER COLUMN dropped DROP DEFAULT")
    op.execute(
        """
        CREATE TABLE dossier_set_aside (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            dossier_id UUID NOT NULL,
            number INTEGER NOT NULL,
            section_key TEXT NOT NULL,
            section_title TEXT NOT NULL,
            question_key TEXT NOT NULL,
            label TEXT NOT NULL,
            text TEXT NOT NULL,
            is_gone BOOLEAN NOT NULL,
            set_aside_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_dossier_set_aside PRIMARY KEY (id),
            CONSTRAINT uq_dossier_set_aside_dossier_id_number UNIQUE (dossier_id, number),
            CONSTRAINT fk_dossier_set_aside_dossier_id FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER dossier_set_aside_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dossier_set_aside"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE dossier_set_aside")
    op.execute("ALTER TABLE budget DROP COLUMN dropped")
    op.execute("ALTER TABLE submission DROP COLUMN call_version")
    op.execute(
        "ALTER TABLE application DROP COLUMN call_version_read, DROP COLUMN call_version,"
        " DROP COLUMN own_closes_at, DROP COLUMN own_closes_reason"
    )
    op.execute("DROP TABLE call_one_extension, call_working_copy, call_version")
    op.execute("ALTER TABLE call DROP COLUMN version_number")
