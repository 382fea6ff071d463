"""Suspensions of a grant, or of the part of one beneficiary."""

from __future__ import annotations

from alembic import op

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE agreement_hold (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            organisation_id UUID,
            reason TEXT NOT NULL,
            words TEXT NOT NULL,
            from_on DATE NOT NULL,
            notice_id UUID NOT NULL,
            held_by UUID NOT NULL,
            held_at TIMESTAMP WITH TIME ZONE NOT NULL,
            lifted_on DATE,
            lifted_by UUID,
            lifted_at TIMESTAMP WITH TIME ZONE,
            lift_words TEXT,
            CONSTRAINT pk_agreement_hold PRIMARY KEY (id),
            CONSTRAINT uq_agreement_hold_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_agreement_hold_reason_known CHECK (reason IN ('requested', 'force_majeure', 'breach', 'irregularity', 'other')),
            CONSTRAINT ck_agreement_hold_number_counts CHECK (number > 0),
            CONSTRAINT ck_agreement_hold_has_words CHECK (words <> ''),
            CONSTRAINT ck_agreement_hold_lifted_whole CHECK ((lifted_on IS NULL) = (lifted_by IS NULL) AND (lifted_on IS NULL) = (lifted_at IS NULL) AND (lifted_on IS NULL) = (lift_words IS NULL)),
            CONSTRAINT fk_agreement_hold_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_hold_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_hold_notice_id FOREIGN KEY(notice_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_hold_held_by FOREIGN KEY(held_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_hold_lifted_by FOREIGN KEY(lifted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_hold_open ON agreement_hold (grant_id, organisation_id) "
        "NULLS NOT DISTINCT WHERE lifted_on IS NULL"
    )
    op.execute(
        "CREATE TRIGGER agreement_hold_written_once BEFORE UPDATE OR DELETE ON agreement_hold "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('lifted_on,lifted_by,lifted_at,lift_words', '')"
    )
    op.execute(
        "CREATE TRIGGER agreement_hold_never_emptied BEFORE TRUNCATE ON agreement_hold FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM agreement_hold) THEN
            RAISE EXCEPTION 'grants were suspended: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE agreement_hold")
