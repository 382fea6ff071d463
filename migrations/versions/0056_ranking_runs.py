"""Runs of the advice beside the official list: kept as they were made, never changed."""

from __future__ import annotations

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ranking_run (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            reason TEXT NOT NULL,
            places INTEGER NOT NULL,
            input_sha256 BYTEA NOT NULL,
            settings JSONB NOT NULL,
            result JSONB NOT NULL,
            applications INTEGER NOT NULL,
            evaluators INTEGER NOT NULL,
            sheets INTEGER NOT NULL,
            milliseconds INTEGER NOT NULL,
            versions JSONB NOT NULL,
            CONSTRAINT pk_ranking_run PRIMARY KEY (id),
            CONSTRAINT uq_ranking_run_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_ranking_run_kind_known CHECK (kind IN ('full', 'shrunken', 'nothing')),
            CONSTRAINT ck_ranking_run_less_has_reason CHECK ((kind = 'full') = (reason = '')),
            CONSTRAINT ck_ranking_run_input_sha256_length CHECK (octet_length(input_sha256) = 32),
            CONSTRAINT ck_ranking_run_places_above_zero CHECK (places > 0),
            CONSTRAINT fk_ranking_run_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER ranking_run_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ranking_run FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE ranking_run")
