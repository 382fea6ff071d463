"""Where a form that was sent led to, so that the second of two clicks is led there too."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE form_answer (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            request_digest BYTEA NOT NULL,
            location TEXT NOT NULL,
            answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_form_answer PRIMARY KEY (owner, key)
        )
        """
    )
    op.execute("CREATE INDEX ix_form_answer_answered_at ON form_answer (answered_at)")


def downgrade() -> None:
    op.execute("DROP TABLE form_answer")
