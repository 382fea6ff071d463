"""Evaluators have levels of topics and languages, roles and days on which they are available, and may have wishes."""

from __future__ import annotations

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A topic that was ticked counted whole, and does so at level 3; a language that was written is a fluent one.
    op.execute(
        """
        ALTER TABLE evaluator
            ADD COLUMN topic_levels JSONB NOT NULL DEFAULT '{}',
            ADD COLUMN language_levels JSONB NOT NULL DEFAULT '{}',
            ADD COLUMN roles JSONB NOT NULL DEFAULT '[]',
            ADD COLUMN available_from DATE,
            ADD COLUMN available_until DATE,
            ADD CONSTRAINT ck_evaluator_available_in_order CHECK (available_from <= available_until)
        """
    )
    op.execute(
        """
        UPDATE evaluator SET
            topic_levels = (SELECT coalesce(jsonb_object_agg(value, 3), '{}') FROM jsonb_array_elements_text(topics)),
            language_levels = (
                SELECT coalesce(jsonb_object_agg(value, 'fluent'), '{}') FROM jsonb_array_elements_text(languages)
            )
        """
    )
    op.execute(
        """
        ALTER TABLE evaluator
            ALTER COLUMN topic_levels DROP DEFAULT,
            ALTER COLUMN language_levels DROP DEFAULT,
            ALTER COLUMN roles DROP DEFAULT
        """
    )
    op.execute(
        """
        CREATE TABLE evaluator_wish (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            evaluator_id UUID NOT NULL,
            application_id UUID NOT NULL,
            wish INTEGER NOT NULL,
            CONSTRAINT pk_evaluator_wish PRIMARY KEY (id),
            CONSTRAINT uq_evaluator_wish_evaluator_id_application_id UNIQUE (evaluator_id, application_id),
            CONSTRAINT ck_evaluator_wish_wish_known CHECK (wish BETWEEN -2 AND 2),
            CONSTRAINT fk_evaluator_wish_evaluator_id FOREIGN KEY(evaluator_id) REFERENCES evaluator (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_wish_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_evaluator_wish_application_id ON evaluator_wish (application_id)")


def downgrade() -> None:
    op.execute("DROP TABLE evaluator_wish")
    op.execute(
        """
        ALTER TABLE evaluator
            DROP COLUMN topic_levels,
            DROP COLUMN language_levels,
            DROP COLUMN roles,
            DROP COLUMN available_from,
            DROP COLUMN available_until
        """
    )
