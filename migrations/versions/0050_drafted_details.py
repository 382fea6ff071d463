"""Title, short name and summary that a team writes after sending stay with it until they are sent too."""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE application ADD COLUMN draft_title TEXT")
    op.execute("ALTER TABLE application ADD COLUMN draft_acronym TEXT")
    op.execute("ALTER TABLE application ADD COLUMN draft_summary TEXT")
    op.execute(
        "ALTER TABLE application ADD CONSTRAINT ck_application_drafted_whole "
        "CHECK (draft_title IS NOT NULL OR (draft_acronym IS NULL AND draft_summary IS NULL))"
    )
    op.execute(
        "ALTER TABLE application ADD CONSTRAINT ck_application_drafted_after_sending "
        "CHECK (draft_title IS NULL OR submission_id IS NOT NULL)"
    )
    # What was written since goes there; what everybody else reads is what was frozen.
    op.execute(
        """
        UPDATE application a
        SET draft_title = a.title, draft_acronym = a.acronym, draft_summary = a.summary,
            title = s.content -> 'application' ->> 'title',
            acronym = s.content -> 'application' ->> 'acronym',
            summary = s.content -> 'application' ->> 'summary'
        FROM submission s
        WHERE s.id = a.submission_id
          AND s.content -> 'application' ->> 'title' IS NOT NULL
          AND (a.title, a.acronym, a.summary) IS DISTINCT FROM (
              s.content -> 'application' ->> 'title',
              s.content -> 'application' ->> 'acronym',
              s.content -> 'application' ->> 'summary'
          )
        """
    )


def downgrade() -> None:
    op.execute(
        "UPDATE application SET title = draft_title, acronym = draft_acronym, summary = draft_summary "
        "WHERE draft_title IS NOT NULL"
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE application DROP COLUMN draft_title, DROP COLUMN draft_acronym, DROP COLUMN draft_summary")
