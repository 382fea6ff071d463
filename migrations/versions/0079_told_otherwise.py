"""When the team of an application whose letter is left out by name was told, and who says so."""

from __future__ import annotations

from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE letter_left_out
            ADD COLUMN told_by UUID,
            ADD COLUMN told_at TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT ck_letter_left_out_told_has_person CHECK ((told_at IS NULL) = (told_by IS NULL)),
            ADD CONSTRAINT fk_letter_left_out_told_by FOREIGN KEY (told_by) REFERENCES user_account (id)
                DEFERRABLE INITIALLY DEFERRED
        """
    )
    _guard("ended_by,ended_at,told_by,told_at")


def downgrade() -> None:
    op.execute("ALTER TABLE letter_left_out DROP COLUMN told_by, DROP COLUMN told_at")
    _guard("ended_by,ended_at")


def _guard(once: str) -> None:
    op.execute("DROP TRIGGER letter_left_out_written_once ON letter_left_out")
    op.execute(
        "CREATE TRIGGER letter_left_out_written_once BEFORE UPDATE OR DELETE ON letter_left_out "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{once}', '')"
    )
