"""Every mark and text of a consensus keeps its versions, field by field. What stands until now is the first version of each."""

from __future__ import annotations

from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE consensus_writing (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            consensus_id UUID NOT NULL,
            field TEXT NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            saved_by UUID,
            CONSTRAINT pk_consensus_writing PRIMARY KEY (id),
            CONSTRAINT uq_consensus_writing_consensus_id_field_number UNIQUE (consensus_id, field, number),
            CONSTRAINT ck_consensus_writing_number_counts CHECK (number >= 1),
            CONSTRAINT fk_consensus_writing_consensus_id FOREIGN KEY(consensus_id) REFERENCES consensus (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        INSERT INTO consensus_writing
        SELECT gen_random_uuid(), consensus.saved_at, 1, consensus.id, said.field, 1, said.text, consensus.saved_at,
            consensus.written_by
        FROM (
            SELECT consensus_id, 'half_' || criterion AS field, half::text AS text
            FROM consensus_score WHERE half IS NOT NULL
            UNION ALL
            SELECT consensus_id, 'comment_' || criterion, comment FROM consensus_score WHERE comment <> ''
            UNION ALL
            SELECT id, 'remark', text FROM consensus WHERE text <> ''
        ) AS said
        JOIN consensus ON consensus.id = said.consensus_id
        """
    )
    op.execute("ALTER TABLE consensus ADD COLUMN numbers JSONB NOT NULL DEFAULT '{}'")
    op.execute(
        """
        UPDATE consensus SET numbers = told.numbers
        FROM (
            SELECT consensus_id, jsonb_object_agg(field, number) AS numbers FROM consensus_writing GROUP BY consensus_id
        ) AS told
        WHERE told.consensus_id = consensus.id
        """
    )
    op.execute("ALTER TABLE consensus ALTER COLUMN numbers DROP DEFAULT")
    op.execute(
        """
        CREATE TRIGGER consensus_writing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consensus_writing FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE consensus_writing")
    op.execute("ALTER TABLE consensus DROP COLUMN numbers")
