"""Somebody asks that another person leads an application whose lead is gone, and staff answer."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE application_takeover (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            lead_id UUID NOT NULL,
            asked_by UUID NOT NULL,
            reason TEXT NOT NULL,
            answered_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            granted BOOLEAN,
            CONSTRAINT pk_application_takeover PRIMARY KEY (id),
            CONSTRAINT ck_application_takeover_answered_by_somebody CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
            CONSTRAINT ck_application_takeover_answered_with_a_word CHECK ((answered_at IS NULL) = (granted IS NULL)),
            CONSTRAINT fk_application_takeover_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_takeover_lead_id FOREIGN KEY(lead_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_takeover_asked_by FOREIGN KEY(asked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_takeover_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_application_takeover_open ON application_takeover (application_id) WHERE answered_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP TABLE application_takeover")
