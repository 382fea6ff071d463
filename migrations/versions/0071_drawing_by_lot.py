"""The seed of a draw by lot, and what other aims and scenarios came to, worked out by jobs."""

from __future__ import annotations

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE call_draw_seed (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            seed TEXT NOT NULL,
            commitment TEXT NOT NULL,
            CONSTRAINT pk_call_draw_seed PRIMARY KEY (id),
            CONSTRAINT uq_call_draw_seed_call_id UNIQUE (call_id),
            CONSTRAINT ck_call_draw_seed_commitment_of_seed CHECK (commitment = encode(sha256(convert_to(seed, 'UTF8')), 'hex')),
            CONSTRAINT fk_call_draw_seed_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER call_draw_seed_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_draw_seed "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE call_draw_seed")
