"""Keep how a city came to the organisation that acts for it: by itself, by hand, or parted by hand."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE city ADD COLUMN organisation_link TEXT")
    op.execute("UPDATE city SET organisation_link = 'by_hand' WHERE organisation_id IS NOT NULL")
    op.execute(
        """
        ALTER TABLE city
            ADD CONSTRAINT ck_city_organisation_link_known CHECK (organisation_link IN ('automatic', 'by_hand', 'undone')),
            ADD CONSTRAINT ck_city_link_has_organisation CHECK ((organisation_id IS NOT NULL) = (organisation_link IS NOT NULL AND organisation_link <> 'undone'))
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE city DROP COLUMN organisation_link")
