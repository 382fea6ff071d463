"""What jobs worked out of selections with a solver: kept as it was made, never changed."""

from __future__ import annotations

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE selection_solve (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            input_sha256 BYTEA NOT NULL,
            answer JSONB NOT NULL,
            refusal TEXT NOT NULL,
            CONSTRAINT pk_selection_solve PRIMARY KEY (id),
            CONSTRAINT uq_selection_solve_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_selection_solve_kind_known CHECK (kind IN ('list', 'score', 'population')),
            CONSTRAINT ck_selection_solve_input_sha256_length CHECK (octet_length(input_sha256) = 32),
            CONSTRAINT ck_selection_solve_answer_or_refusal CHECK ((refusal = '') = (answer <> '{}'::jsonb)),
            CONSTRAINT fk_selection_solve_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER selection_solve_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON selection_solve "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE selection_solve")
