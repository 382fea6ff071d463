"""Words evaluators accept, in versions; who accepted which; invitations to a pool; organisations of evaluators with dates."""

from __future__ import annotations

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE call_expert_terms (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            content JSONB,
            sha256 BYTEA,
            note TEXT,
            published_by UUID NOT NULL,
            CONSTRAINT pk_call_expert_terms PRIMARY KEY (id),
            CONSTRAINT uq_call_expert_terms_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_call_expert_terms_later_has_note CHECK ((number = 1) = (note IS NULL)),
            CONSTRAINT ck_call_expert_terms_words_have_hash CHECK ((content IS NULL) = (sha256 IS NULL)),
            CONSTRAINT fk_call_expert_terms_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_call_expert_terms_published_by FOREIGN KEY(published_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER call_expert_terms_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_expert_terms "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE TABLE evaluator_acceptance (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            user_id UUID NOT NULL,
            number INTEGER NOT NULL,
            sha256 BYTEA NOT NULL,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            withdrawn_why TEXT,
            CONSTRAINT pk_evaluator_acceptance PRIMARY KEY (id),
            CONSTRAINT ck_evaluator_acceptance_withdrawn_why CHECK ((withdrawn_at IS NULL) = (withdrawn_why IS NULL)),
            CONSTRAINT fk_evaluator_acceptance_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_acceptance_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    # Who accepted what is on the record: only that it was withdrawn comes later.
    op.execute(
        "CREATE TRIGGER evaluator_acceptance_written_once BEFORE UPDATE OR DELETE ON evaluator_acceptance "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('withdrawn_at,withdrawn_why', '')"
    )
    op.execute(
        "CREATE TRIGGER evaluator_acceptance_never_emptied BEFORE TRUNCATE ON evaluator_acceptance "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_evaluator_acceptance_once ON evaluator_acceptance (user_id, call_id, number) "
        "WHERE withdrawn_at IS NULL"
    )
    op.execute("CREATE INDEX ix_evaluator_acceptance_call_id ON evaluator_acceptance (call_id)")
    op.execute(
        """
        CREATE TABLE evaluator_invitation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            user_id UUID NOT NULL,
            state TEXT NOT NULL,
            message TEXT NOT NULL,
            entry JSONB NOT NULL,
            invited_by UUID NOT NULL,
            invited_at TIMESTAMP WITH TIME ZONE NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            reminded_at TIMESTAMP WITH TIME ZONE,
            answered_at TIMESTAMP WITH TIME ZONE,
            reason TEXT,
            CONSTRAINT pk_evaluator_invitation PRIMARY KEY (id),
            CONSTRAINT uq_evaluator_invitation_call_id_user_id UNIQUE (call_id, user_id),
            CONSTRAINT ck_evaluator_invitation_state_known CHECK (state IN ('invited', 'accepted', 'declined', 'withdrawn')),
            CONSTRAINT ck_evaluator_invitation_answered CHECK ((state = 'invited') = (answered_at IS NULL)),
            CONSTRAINT ck_evaluator_invitation_ends_after_start CHECK (expires_at > invited_at),
            CONSTRAINT fk_evaluator_invitation_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_invitation_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_invitation_invited_by FOREIGN KEY(invited_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_evaluator_invitation_user_id ON evaluator_invitation (user_id)")
    op.execute(
        """
        CREATE TABLE evaluator_organisation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            evaluator_id UUID NOT NULL,
            name TEXT NOT NULL,
            organisation_id UUID,
            starts_on DATE,
            ends_on DATE,
            CONSTRAINT pk_evaluator_organisation PRIMARY KEY (id),
            CONSTRAINT ck_evaluator_organisation_in_order CHECK (starts_on <= ends_on),
            CONSTRAINT fk_evaluator_organisation_evaluator_id FOREIGN KEY(evaluator_id) REFERENCES evaluator (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_organisation_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_evaluator_organisation_evaluator_id ON evaluator_organisation (evaluator_id)")
    op.execute("CREATE INDEX ix_evaluator_organisation_organisation_id ON evaluator_organisation (organisation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE evaluator_organisation, evaluator_invitation, evaluator_acceptance, call_expert_terms")
