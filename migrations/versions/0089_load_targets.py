"""Evaluators say how many applications they aim at and, if they wish, their gender; losses worked out later are kept."""

from __future__ import annotations

from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE evaluator ADD COLUMN load_target INTEGER, ADD COLUMN gender TEXT, "
        "ADD CONSTRAINT ck_evaluator_load_target_between CHECK (load_target BETWEEN load_min AND load_max), "
        "ADD CONSTRAINT ck_evaluator_gender_known CHECK (gender IN ('woman', 'man', 'another', 'unsaid'))"
    )
    op.execute(
        """
        CREATE TABLE assignment_loss (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            run_id UUID NOT NULL,
            application_id UUID NOT NULL,
            evaluator_id UUID NOT NULL,
            least INTEGER,
            most INTEGER,
            moved INTEGER NOT NULL,
            milliseconds INTEGER NOT NULL,
            CONSTRAINT pk_assignment_loss PRIMARY KEY (id),
            CONSTRAINT uq_assignment_loss_run_id_application_id_evaluator_id UNIQUE (run_id, application_id, evaluator_id),
            CONSTRAINT ck_assignment_loss_least_and_most CHECK ((least IS NULL) = (most IS NULL) AND least <= most),
            CONSTRAINT fk_assignment_loss_run_id FOREIGN KEY(run_id) REFERENCES assignment_run (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_assignment_loss_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_assignment_loss_evaluator_id FOREIGN KEY(evaluator_id) REFERENCES evaluator (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_assignment_loss_application_id ON assignment_loss (application_id)")
    op.execute(
        "CREATE TRIGGER assignment_loss_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment_loss "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE assignment_loss")
    op.execute("ALTER TABLE evaluator DROP COLUMN gender, DROP COLUMN load_target")
