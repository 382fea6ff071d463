"""A draw by lot that was refused stays on the record of its list, which is never confirmed after it."""

from __future__ import annotations

from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

ONCE = "confirmed_by,confirmed_at,confirmed_despite,returned_by,return_reason"
REFUSED = "draw_refused_by,draw_refused_at"
DRAWN = "state,undrawn,used,rules,line_words,list_sha256,compared"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE selection
            ADD COLUMN draw_refused_by UUID,
            ADD COLUMN draw_refused_at TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT fk_selection_draw_refused_by FOREIGN KEY(draw_refused_by) REFERENCES user_account (id)
                DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT ck_selection_draw_refused_has_person
                CHECK ((draw_refused_at IS NULL) = (draw_refused_by IS NULL)),
            ADD CONSTRAINT ck_selection_draw_refused_to_another CHECK (draw_refused_by <> decided_by),
            ADD CONSTRAINT ck_selection_draw_refused_is_never_confirmed
                CHECK (draw_refused_at IS NULL OR (undrawn AND state <> 'confirmed'))
        """
    )
    _written_once(f"{ONCE},{REFUSED}")


def downgrade() -> None:
    _written_once(ONCE)
    op.execute("ALTER TABLE selection DROP COLUMN draw_refused_by, DROP COLUMN draw_refused_at")


def _written_once(once: str) -> None:
    op.execute("DROP TRIGGER selection_written_once ON selection")
    op.execute(
        "CREATE TRIGGER selection_written_once BEFORE UPDATE OR DELETE ON selection "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{once}', '{DRAWN}')"
    )
    op.execute("DROP TRIGGER selection_draw_stands ON selection")
    op.execute(
        "CREATE TRIGGER selection_draw_stands BEFORE UPDATE ON selection FOR EACH ROW WHEN (NOT OLD.undrawn) "
        f"EXECUTE FUNCTION refuse_rewriting('{once}', 'state')"
    )
