"""An award is withheld from publication by name, with a ground and a reason."""

from __future__ import annotations

from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE award_withheld (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            ground TEXT NOT NULL,
            reason TEXT NOT NULL,
            withheld_by UUID NOT NULL,
            withheld_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by UUID,
            ended_at TIMESTAMP WITH TIME ZONE,
            end_reason TEXT,
            CONSTRAINT pk_award_withheld PRIMARY KEY (id),
            CONSTRAINT ck_award_withheld_ground_known CHECK (ground IN ('rights', 'commercial', 'law')),
            CONSTRAINT ck_award_withheld_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_award_withheld_ended_whole CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason IS NULL)),
            CONSTRAINT ck_award_withheld_ended_by_another CHECK (ended_by <> withheld_by),
            CONSTRAINT fk_award_withheld_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_award_withheld_withheld_by FOREIGN KEY(withheld_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_award_withheld_ended_by FOREIGN KEY(ended_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_award_withheld_one_open ON award_withheld (application_id) WHERE ended_at IS NULL"
    )
    op.execute(
        """
        CREATE TRIGGER award_withheld_written_once BEFORE UPDATE OR DELETE ON award_withheld FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('ended_by,ended_at,end_reason', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER award_withheld_never_emptied BEFORE TRUNCATE ON award_withheld FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    # Without it everybody would read what is withheld.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM award_withheld WHERE ended_at IS NULL) THEN
                RAISE EXCEPTION 'an award that is withheld would be published: name it again first';
            END IF;
        END $$
        """
    )
    op.execute("DROP TABLE award_withheld")
