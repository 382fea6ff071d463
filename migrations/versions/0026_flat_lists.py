"""Indexes by which the list of applications is counted and its filters offered without reading every row."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_application_counted ON application (state, call_id) INCLUDE (id, submission_id, origin)"
    )
    op.execute("CREATE INDEX ix_organisation_country_code ON organisation (country_code)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_application_counted, ix_organisation_country_code")
