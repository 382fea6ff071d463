"""Statements of a whole programme and of a period; the figures of a statement are kept once, and its runs point to them."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE statement_figures
            ADD COLUMN from_on DATE,
            ADD COLUMN before_on DATE,
            DROP CONSTRAINT uq_statement_figures_name_scope_id_as_of,
            ADD CONSTRAINT uq_statement_figures_name_scope_id_as_of_from_on_before_on
                UNIQUE NULLS NOT DISTINCT (name, scope_id, as_of, from_on, before_on),
            ADD CONSTRAINT ck_statement_figures_period_in_order CHECK (from_on < before_on)
        """
    )
    op.execute(
        """
        ALTER TABLE statement_run
            ADD COLUMN from_on DATE,
            ADD COLUMN before_on DATE,
            ADD COLUMN figures_id UUID,
            ALTER COLUMN call_id DROP NOT NULL,
            DROP CONSTRAINT ck_statement_run_scope_kind_known,
            DROP CONSTRAINT ck_statement_run_built_has_figures,
            ADD CONSTRAINT fk_statement_run_figures_id FOREIGN KEY(figures_id)
                REFERENCES statement_figures (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT ck_statement_run_scope_kind_known CHECK (scope_kind IN ('programme', 'call', 'grant')),
            ADD CONSTRAINT ck_statement_run_programme_has_no_call CHECK ((scope_kind = 'programme') = (call_id IS NULL)),
            ADD CONSTRAINT ck_statement_run_period_in_order CHECK (from_on < before_on)
        """
    )
    # Every run that was built has its figures kept under the same name, thing and moment.
    op.execute(
        """
        UPDATE statement_run SET figures_id = kept.id
        FROM statement_figures AS kept
        WHERE statement_run.figures IS NOT NULL
            AND (kept.name, kept.scope_id, kept.as_of) = (statement_run.name, statement_run.scope_id, statement_run.as_of)
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE statement_run
            DROP COLUMN figures,
            ADD CONSTRAINT ck_statement_run_built_has_figures CHECK ((built_at IS NULL) = (figures_id IS NULL))
        """
    )
    op.execute("CREATE INDEX ix_statement_run_figures_id ON statement_run (figures_id)")
    op.execute("CREATE INDEX ix_statement_run_asked ON statement_run (requested_by, created_at)")


def downgrade() -> None:
    op.execute("ALTER TABLE statement_run ADD COLUMN figures JSONB")
    op.execute(
        "UPDATE statement_run SET figures = kept.figures FROM statement_figures AS kept WHERE kept.id = statement_run.figures_id"
    )
    # What only the newer program can show is given up; its acts stay on the record.
    op.execute("DELETE FROM statement_run WHERE scope_kind = 'programme' OR num_nonnulls(from_on, before_on) > 0")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE statement_run
            DROP CONSTRAINT ck_statement_run_scope_kind_known,
            DROP CONSTRAINT ck_statement_run_built_has_figures,
            DROP CONSTRAINT ck_statement_run_programme_has_no_call,
            DROP CONSTRAINT ck_statement_run_period_in_order,
            DROP COLUMN figures_id, DROP COLUMN from_on, DROP COLUMN before_on,
            ALTER COLUMN call_id SET NOT NULL,
            ADD CONSTRAINT ck_statement_run_scope_kind_known CHECK (scope_kind IN ('call', 'grant')),
            ADD CONSTRAINT ck_statement_run_built_has_figures CHECK ((built_at IS NULL) = (figures IS NULL))
        """
    )
    op.execute("DROP INDEX ix_statement_run_asked")
    op.execute("ALTER TABLE statement_figures DISABLE TRIGGER USER")
    op.execute(
        """
        DELETE FROM statement_figures
        WHERE num_nonnulls(from_on, before_on) > 0
            OR NOT EXISTS (SELECT FROM call WHERE call.id = scope_id) AND NOT EXISTS (SELECT FROM grant_agreement WHERE grant_agreement.id = scope_id)
        """
    )
    op.execute("ALTER TABLE statement_figures ENABLE TRIGGER USER")
    op.execute(
        """
        ALTER TABLE statement_figures
            DROP CONSTRAINT uq_statement_figures_name_scope_id_as_of_from_on_before_on,
            DROP CONSTRAINT ck_statement_figures_period_in_order,
            DROP COLUMN from_on, DROP COLUMN before_on,
            ADD CONSTRAINT uq_statement_figures_name_scope_id_as_of UNIQUE (name, scope_id, as_of)
        """
    )
