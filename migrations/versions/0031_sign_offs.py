"""Sign-offs of an application: by each partner of the own part, by a signatory of the whole; each of one exact version."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE application_sign_off (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            number INTEGER NOT NULL,
            organisation_id UUID,
            user_id UUID NOT NULL,
            sha256 BYTEA NOT NULL,
            CONSTRAINT pk_application_sign_off PRIMARY KEY (id),
            CONSTRAINT uq_application_sign_off_application_id_number UNIQUE (application_id, number),
            CONSTRAINT ck_application_sign_off_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT fk_application_sign_off_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_sign_off_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_sign_off_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER application_sign_off_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON application_sign_off FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE application_sign_off")
