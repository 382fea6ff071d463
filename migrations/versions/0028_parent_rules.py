"""A parent grant keeps what it lays down for its calls; a call that pays nothing needs no total to be published."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_COMPLETE = "state <> 'published' OR (opens_at IS NOT NULL AND {total}published_at IS NOT NULL)"
_CONSTRAINT = "ck_call_published_is_complete"


def upgrade() -> None:
    op.execute("ALTER TABLE fund_source ADD COLUMN rules JSONB NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE fund_source ALTER COLUMN rules DROP DEFAULT")
    op.execute("ALTER TABLE call ADD COLUMN pays BOOLEAN NOT NULL DEFAULT true")
    op.execute("ALTER TABLE call ALTER COLUMN pays DROP DEFAULT")
    op.execute(f"ALTER TABLE call DROP CONSTRAINT {_CONSTRAINT}")
    check = _COMPLETE.format(total="(total_cents IS NOT NULL OR NOT pays) AND ")
    op.execute(f"ALTER TABLE call ADD CONSTRAINT {_CONSTRAINT} CHECK ({check})")


def downgrade() -> None:
    op.execute(f"ALTER TABLE call DROP CONSTRAINT {_CONSTRAINT}")
    check = _COMPLETE.format(total="total_cents IS NOT NULL AND ")
    op.execute(f"ALTER TABLE call ADD CONSTRAINT {_CONSTRAINT} CHECK ({check})")
    op.execute("ALTER TABLE call DROP COLUMN pays")
    op.execute("ALTER TABLE fund_source DROP COLUMN rules")
