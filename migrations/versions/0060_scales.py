"""Marks of any scale up to 100 points, moves of a score by the panel, and what a decided score was made of."""

from __future__ import annotations

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

MARKED = ("assessment_score", "consensus_score")


def upgrade() -> None:
    for table in MARKED:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_half_range")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_half_range CHECK (half BETWEEN 0 AND 200)")
    op.execute("ALTER TABLE selection_item ADD COLUMN shift_half INTEGER NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE selection_item ALTER COLUMN shift_half DROP DEFAULT")
    op.execute("ALTER TABLE selection_item ADD COLUMN basis TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE selection_item ALTER COLUMN basis DROP DEFAULT")
    op.execute(
        """
        CREATE TABLE score_shift (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            state TEXT NOT NULL,
            shift_half INTEGER NOT NULL,
            reason TEXT NOT NULL,
            proposed_by UUID NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            decided_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            return_reason TEXT,
            CONSTRAINT pk_score_shift PRIMARY KEY (id),
            CONSTRAINT ck_score_shift_state_known CHECK (state IN ('proposed', 'confirmed', 'returned', 'replaced')),
            CONSTRAINT ck_score_shift_shift_half_range CHECK (shift_half BETWEEN -2000 AND 2000),
            CONSTRAINT ck_score_shift_second_person CHECK (decided_by <> proposed_by),
            CONSTRAINT ck_score_shift_decided_has_person CHECK ((state = 'proposed') = (decided_by IS NULL)),
            CONSTRAINT ck_score_shift_decided_has_time CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
            CONSTRAINT ck_score_shift_returned_has_reason CHECK ((state = 'returned') = (return_reason IS NOT NULL)),
            CONSTRAINT fk_score_shift_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_score_shift_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_score_shift_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_score_shift_application_id ON score_shift (application_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_score_shift_one_proposed ON score_shift (application_id) WHERE state = 'proposed'"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_score_shift_one_confirmed ON score_shift (application_id) WHERE state = 'confirmed'"
    )
    op.execute(
        """
        CREATE TRIGGER score_shift_written_once BEFORE UPDATE OR DELETE ON score_shift
        FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('decided_by,decided_at,return_reason', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER score_shift_never_emptied BEFORE TRUNCATE ON score_shift
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE score_shift")
    op.execute("ALTER TABLE selection_item DROP COLUMN basis")
    op.execute("ALTER TABLE selection_item DROP COLUMN shift_half")
    for table in MARKED:
        # Marks above five points have no place in the version before: the scale says so, and no mark is rewritten.
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_half_range")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_half_range CHECK (half BETWEEN 0 AND 10)")
