"""Lists of applications that people keep under a name, share, and see first."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE saved_list (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            owner_id UUID NOT NULL,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            address TEXT NOT NULL,
            shared_call_id UUID,
            shared_role TEXT,
            CONSTRAINT pk_saved_list PRIMARY KEY (id),
            CONSTRAINT uq_saved_list_owner_id_name UNIQUE (owner_id, name),
            CONSTRAINT uq_saved_list_number UNIQUE (number),
            CONSTRAINT ck_saved_list_role_of_a_call CHECK (shared_role IS NULL OR shared_call_id IS NOT NULL),
            CONSTRAINT fk_saved_list_owner_id FOREIGN KEY(owner_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_saved_list_shared_call_id FOREIGN KEY(shared_call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_saved_list_shared_call_id ON saved_list (shared_call_id)")
    op.execute(
        """
        CREATE TABLE first_list (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL,
            list_id UUID NOT NULL,
            CONSTRAINT pk_first_list PRIMARY KEY (id),
            CONSTRAINT uq_first_list_user_id UNIQUE (user_id),
            CONSTRAINT fk_first_list_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_first_list_list_id FOREIGN KEY(list_id) REFERENCES saved_list (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_first_list_list_id ON first_list (list_id)")


def downgrade() -> None:
    op.execute("DROP TABLE first_list")
    op.execute("DROP TABLE saved_list")
