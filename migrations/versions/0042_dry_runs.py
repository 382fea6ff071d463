"""Dry runs of calls, in a table of their own that nothing else reads."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE call_trial (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            user_id UUID NOT NULL,
            content JSONB NOT NULL,
            CONSTRAINT pk_call_trial PRIMARY KEY (id),
            CONSTRAINT uq_call_trial_call_id_user_id UNIQUE (call_id, user_id),
            CONSTRAINT fk_call_trial_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_call_trial_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE call_trial")
