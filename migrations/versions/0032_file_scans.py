"""What a virus scanner said of each upload, and which files are uploads."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE stored_file ADD COLUMN uploaded BOOLEAN NOT NULL DEFAULT false")
    # So far only the files of applications were uploaded; all others are made by the program.
    op.execute("UPDATE stored_file SET uploaded = true WHERE kind = 'application'")
    op.execute("ALTER TABLE stored_file ALTER COLUMN uploaded DROP DEFAULT")
    op.execute(
        """
        CREATE TABLE file_scan (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            file_id UUID NOT NULL,
            verdict TEXT NOT NULL,
            signature TEXT,
            scanner TEXT NOT NULL,
            CONSTRAINT pk_file_scan PRIMARY KEY (id),
            CONSTRAINT ck_file_scan_verdict_known CHECK (verdict IN ('clean', 'infected')),
            CONSTRAINT ck_file_scan_infected_has_signature CHECK ((verdict = 'infected') = (signature IS NOT NULL)),
            CONSTRAINT fk_file_scan_file_id FOREIGN KEY(file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_file_scan_file ON file_scan (file_id, created_at)")
    op.execute(
        "CREATE TRIGGER file_scan_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON file_scan "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE file_scan")
    op.execute("ALTER TABLE stored_file DROP COLUMN uploaded")
