"""What a removed row belonged to is kept, so that the record finds and names its acts for good; of rows removed until now
the record itself tells it."""

from __future__ import annotations

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE removed_row (
            row_id UUID NOT NULL,
            way TEXT NOT NULL,
            table_name TEXT NOT NULL,
            above_id UUID NOT NULL,
            CONSTRAINT pk_removed_row PRIMARY KEY (row_id, way)
        )
        """
    )
    op.execute("CREATE INDEX ix_removed_row_above_id ON removed_row (above_id)")
    # Only a removal takes the id of a row away.
    op.execute(
        """
        INSERT INTO removed_row (row_id, way, table_name, above_id)
        SELECT event.object_id, held.key, event.object_kind, (held.value ->> 0)::uuid
        FROM audit_event AS event CROSS JOIN LATERAL jsonb_each(event.changes) AS held
        WHERE event.object_id IS NOT NULL
            AND event.changes #>> '{id,0}' IS NOT NULL AND event.changes #>> '{id,1}' IS NULL
            AND held.key <> 'id'
            AND held.value ->> 0 ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        ON CONFLICT DO NOTHING
        """
    )
    op.execute(
        """
        CREATE TRIGGER removed_row_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON removed_row FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE removed_row")
