"""Two-stage calls: a call follows another, and concepts are invited to it."""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE call ADD COLUMN follows_id UUID,
            ADD CONSTRAINT fk_call_follows_id FOREIGN KEY(follows_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("CREATE INDEX ix_call_follows_id ON call (follows_id)")
    op.execute(
        """
        CREATE TABLE stage_invitation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            concept_id UUID NOT NULL,
            note TEXT,
            started_id UUID,
            CONSTRAINT pk_stage_invitation PRIMARY KEY (id),
            CONSTRAINT uq_stage_invitation_call_id_concept_id UNIQUE (call_id, concept_id),
            CONSTRAINT uq_stage_invitation_started_id UNIQUE (started_id),
            CONSTRAINT fk_stage_invitation_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_stage_invitation_concept_id FOREIGN KEY(concept_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_stage_invitation_started_id FOREIGN KEY(started_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_stage_invitation_concept_id ON stage_invitation (concept_id)")


def downgrade() -> None:
    op.execute("DROP TABLE stage_invitation")
    op.execute("DROP INDEX ix_call_follows_id")
    op.execute("ALTER TABLE call DROP COLUMN follows_id")
