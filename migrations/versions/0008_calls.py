"""Make the tables of calls."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE call (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            programme_id UUID NOT NULL,
            fund_source_id UUID NOT NULL,
            reference TEXT NOT NULL,
            slug TEXT NOT NULL,
            published_id TEXT,
            title TEXT NOT NULL,
            year INTEGER NOT NULL,
            state TEXT NOT NULL,
            synthetic BOOLEAN NOT NULL,
            content JSONB NOT NULL,
            zone TEXT NOT NULL,
            opens_at TIMESTAMP WITH TIME ZONE,
            total_cents BIGINT,
            results_public_at TIMESTAMP WITH TIME ZONE,
            published_at TIMESTAMP WITH TIME ZONE,
            cancelled_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_call PRIMARY KEY (id),
            CONSTRAINT ck_call_state_known CHECK (state IN ('draft', 'published', 'cancelled')),
            CONSTRAINT ck_call_slug_is_plain CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
            CONSTRAINT ck_call_published_is_complete CHECK (state <> 'published' OR (opens_at IS NOT NULL AND total_cents IS NOT NULL AND published_at IS NOT NULL)),
            CONSTRAINT ck_call_total_positive CHECK (total_cents IS NULL OR total_cents > 0),
            CONSTRAINT ck_call_cancelled_has_moment CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
            CONSTRAINT fk_call_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_call_fund_source_id FOREIGN KEY(fund_source_id) REFERENCES fund_source (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_call_reference UNIQUE (reference),
            CONSTRAINT uq_call_slug UNIQUE (slug),
            CONSTRAINT uq_call_published_id UNIQUE (published_id)
        )
        """
    )
    op.execute("CREATE INDEX ix_call_programme_id ON call (programme_id)")
    op.execute("CREATE INDEX ix_call_fund_source_id ON call (fund_source_id)")
    op.execute(
        """
        CREATE TABLE call_deadline (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
            zone TEXT NOT NULL,
            literal TEXT NOT NULL,
            reason TEXT,
            public_note TEXT,
            announced_at TIMESTAMP WITH TIME ZONE,
            confidence TEXT NOT NULL,
            source TEXT,
            CONSTRAINT pk_call_deadline PRIMARY KEY (id),
            CONSTRAINT uq_call_deadline_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_call_deadline_counted_from_one CHECK (number >= 1),
            CONSTRAINT ck_call_deadline_extension_has_reason CHECK (announced_at IS NULL OR number = 1 OR reason IS NOT NULL),
            CONSTRAINT fk_call_deadline_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_call_deadline_call_id ON call_deadline (call_id)")
    op.execute(
        """
        CREATE TABLE call_document (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            label TEXT NOT NULL,
            published_on DATE NOT NULL,
            what TEXT NOT NULL,
            changes JSONB NOT NULL,
            source TEXT,
            confidence TEXT NOT NULL,
            CONSTRAINT pk_call_document PRIMARY KEY (id),
            CONSTRAINT uq_call_document_call_id_label UNIQUE (call_id, label),
            CONSTRAINT fk_call_document_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_call_document_call_id ON call_document (call_id)")


def downgrade() -> None:
    op.execute("DROP TABLE call, call_deadline, call_document")
