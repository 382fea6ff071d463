"""Lists of applications asked for as files and made by a job."""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE list_file (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            owner_id UUID NOT NULL,
            number INTEGER NOT NULL,
            address TEXT NOT NULL,
            form TEXT NOT NULL,
            job_id UUID NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE,
            rows_count INTEGER,
            reach_sha256 BYTEA,
            CONSTRAINT pk_list_file PRIMARY KEY (id),
            CONSTRAINT uq_list_file_number UNIQUE (number),
            CONSTRAINT ck_list_file_form_known CHECK (form IN ('csv', 'xlsx')),
            CONSTRAINT ck_list_file_made_whole CHECK (
                (made_at IS NULL) = (rows_count IS NULL) AND (made_at IS NULL) = (reach_sha256 IS NULL)
            ),
            CONSTRAINT fk_list_file_owner_id FOREIGN KEY(owner_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_list_file_job_id FOREIGN KEY(job_id) REFERENCES job (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_list_file_owner_id ON list_file (owner_id)")
    op.execute("CREATE INDEX ix_list_file_created_at ON list_file (created_at)")


def downgrade() -> None:
    op.execute("DROP TABLE list_file")
