"""Make the tables of documents."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE statement_run (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            reference TEXT NOT NULL,
            name TEXT NOT NULL,
            scope_kind TEXT NOT NULL,
            scope_id UUID NOT NULL,
            scope_reference TEXT NOT NULL,
            scope_title TEXT NOT NULL,
            call_id UUID NOT NULL,
            as_of TIMESTAMP WITH TIME ZONE NOT NULL,
            requested_by UUID NOT NULL,
            job_id UUID NOT NULL,
            built_at TIMESTAMP WITH TIME ZONE,
            figures_sha256 TEXT,
            figures JSONB,
            CONSTRAINT pk_statement_run PRIMARY KEY (id),
            CONSTRAINT ck_statement_run_scope_kind_known CHECK (scope_kind IN ('call', 'grant')),
            CONSTRAINT ck_statement_run_built_has_figures CHECK ((built_at IS NULL) = (figures IS NULL)),
            CONSTRAINT ck_statement_run_built_has_hash CHECK ((built_at IS NULL) = (figures_sha256 IS NULL)),
            CONSTRAINT uq_statement_run_reference UNIQUE (reference),
            CONSTRAINT fk_statement_run_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_statement_run_requested_by FOREIGN KEY(requested_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_statement_run_job_id FOREIGN KEY(job_id) REFERENCES job (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_statement_run_scope_id ON statement_run (scope_id)")
    op.execute("CREATE INDEX ix_statement_run_call_id ON statement_run (call_id)")
    op.execute("CREATE INDEX ix_statement_run_newest ON statement_run (created_at, id)")


def downgrade() -> None:
    op.execute("DROP TABLE statement_run")
