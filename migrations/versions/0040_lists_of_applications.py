"""What the list of applications is ordered and searched by, each with its index, and since when each is in its state."""

from __future__ import annotations

from alembic import op

from grants.core.text import FOLDED_FROM, FOLDED_TO

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_INDEXES = {
    "by_title": "(title_key, reference_key)",
    "by_lead": "(lead_key, reference_key)",
    "by_state": "(state, reference_key)",
    "by_age": "(state_since, reference_key)",
    "by_asked": "(coalesce(requested, -1), reference_key)",
    "by_sent": "(coalesce(submitted_at, '-infinity'::timestamptz), reference_key)",
    "searched": "USING gin (search_vector)",
}


def _folded(column: str) -> str:
    return f"translate(lower({column}), '{FOLDED_FROM}', '{FOLDED_TO}')"


def upgrade() -> None:
    # What stands is filled as well as the database can; whoever changes a title or a consortium has it written anew.
    op.execute(
        """
        ALTER TABLE application
            ADD COLUMN title_key TEXT NOT NULL DEFAULT '',
            ADD COLUMN lead_key TEXT NOT NULL DEFAULT '',
            ADD COLUMN search_words TEXT NOT NULL DEFAULT '',
            ADD COLUMN state_since TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT '-infinity'
        """
    )
    op.execute(
        f"""
        UPDATE application SET
            title_key = {_folded("title")},
            lead_key = (
                SELECT {_folded("coalesce(town, name)")} FROM organisation WHERE organisation.id = coordinator_id
            ),
            search_words = trim(regexp_replace(
                search_text || ' ' || {_folded("coalesce(summary, '')")}, '[[:punct:][:space:]]+', ' ', 'g'
            )),
            state_since = coalesce(
                (
                    SELECT max(recorded_at) FROM audit_event
                    WHERE object_kind = 'application' AND object_id = application.id AND changes ? 'state'
                ),
                submitted_at,
                created_at
            )
        """
    )
    # The deferred trigger that counts has waited for the rows; the table cannot change before it ran.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE application
            ALTER COLUMN title_key DROP DEFAULT,
            ALTER COLUMN lead_key DROP DEFAULT,
            ALTER COLUMN search_words DROP DEFAULT,
            ALTER COLUMN state_since DROP DEFAULT,
            ADD COLUMN reference_key TEXT NOT NULL GENERATED ALWAYS AS (
                regexp_replace(reference, '[0-9]+$', '') || lpad(coalesce(substring(reference, '[0-9]+$'), ''), 12, '0')
            ) STORED,
            ADD COLUMN search_vector TSVECTOR NOT NULL GENERATED ALWAYS AS (
                to_tsvector('simple'::regconfig, search_words || ' ' || translate(lower(reference), '-', ' ') ||
                coalesce(' no' || ltrim(substring(reference, '[0-9]+$'), '0'), '') || coalesce(' eur' || (requested / 100)::text, ''))
            ) STORED
        """
    )
    op.execute("CREATE UNIQUE INDEX ix_application_by_reference ON application (reference_key)")
    for name, what in _INDEXES.items():
        op.execute(f"CREATE INDEX ix_application_{name} ON application {what}")


def downgrade() -> None:
    op.execute(
        """
        ALTER TABLE application
            DROP COLUMN reference_key,
            DROP COLUMN search_vector,
            DROP COLUMN title_key,
            DROP COLUMN lead_key,
            DROP COLUMN search_words,
            DROP COLUMN state_since
        """
    )
