"""Long files of evaluators that are taken over piece by piece: the file is kept once, and only until that ended."""

from __future__ import annotations

from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE evaluator_import (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            job_id UUID NOT NULL,
            lines TEXT,
            shown JSONB,
            done INTEGER NOT NULL,
            total INTEGER NOT NULL,
            left_out INTEGER NOT NULL,
            CONSTRAINT pk_evaluator_import PRIMARY KEY (id),
            CONSTRAINT ck_evaluator_import_emptied_whole CHECK ((lines IS NULL) = (shown IS NULL)),
            CONSTRAINT ck_evaluator_import_emptied_at_end CHECK (done < total OR lines IS NULL),
            CONSTRAINT ck_evaluator_import_counts CHECK (left_out BETWEEN 0 AND done AND done <= total),
            CONSTRAINT fk_evaluator_import_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_import_job_id FOREIGN KEY(job_id) REFERENCES job (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_evaluator_import_call_id ON evaluator_import (call_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_evaluator_import_one_at_once ON evaluator_import (call_id) WHERE lines IS NOT NULL"
    )
    # What earlier jobs held of files goes; whatever still waits is not done, and its file is uploaded again.
    op.execute("UPDATE job SET args = args - 'text' - 'told' WHERE name = 'jobs.evaluation.take_pool'")
    op.execute(
        """
        UPDATE job SET state = 'cancelled', lease_until = NULL, finished_at = clock_timestamp(), token = token + 1,
            holds_queue = false, error = 'The program was renewed meanwhile. Upload the file again to see what is still to do.'
        WHERE name = 'jobs.evaluation.take_pool' AND state IN ('queued', 'running')
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE evaluator_import")
