"""Signed checkpoints of the audit record, and the public keys they were signed with: both only ever come."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE audit_key (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            public_key TEXT NOT NULL,
            replaces_id UUID,
            CONSTRAINT pk_audit_key PRIMARY KEY (id),
            CONSTRAINT uq_audit_key_public_key UNIQUE (public_key),
            CONSTRAINT uq_audit_key_replaces_id UNIQUE NULLS NOT DISTINCT (replaces_id),
            CONSTRAINT fk_audit_key_replaces_id FOREIGN KEY(replaces_id) REFERENCES audit_key (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE audit_checkpoint (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            position BIGINT NOT NULL,
            head TEXT NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE NOT NULL,
            key_id UUID NOT NULL,
            previous_id UUID,
            note TEXT NOT NULL,
            CONSTRAINT pk_audit_checkpoint PRIMARY KEY (id),
            CONSTRAINT ck_audit_checkpoint_head_form CHECK (head ~ '^[0-9a-f]{64}$'),
            CONSTRAINT ck_audit_checkpoint_position_from_one CHECK (position > 0),
            CONSTRAINT uq_audit_checkpoint_position UNIQUE (position),
            CONSTRAINT uq_audit_checkpoint_previous_id UNIQUE NULLS NOT DISTINCT (previous_id),
            CONSTRAINT fk_audit_checkpoint_position FOREIGN KEY(position) REFERENCES audit_seal (position) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_audit_checkpoint_key_id FOREIGN KEY(key_id) REFERENCES audit_key (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_audit_checkpoint_previous_id FOREIGN KEY(previous_id) REFERENCES audit_checkpoint (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    for table in ("audit_checkpoint", "audit_key"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TABLE audit_checkpoint, audit_key")
