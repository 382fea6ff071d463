"""Reversals of entries of the ledger: proposed by one person with a reason, confirmed or refused by another."""

from __future__ import annotations

from alembic import op

revision = "0096"
down_revision = "0095"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE reversal_proposal (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            entry_id UUID NOT NULL,
            reason TEXT NOT NULL,
            state TEXT NOT NULL,
            proposed_by UUID NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            decided_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            refuse_reason TEXT,
            reversal_id UUID,
            CONSTRAINT pk_reversal_proposal PRIMARY KEY (id),
            CONSTRAINT ck_reversal_proposal_state_known CHECK (state IN ('proposed', 'confirmed', 'refused', 'withdrawn')),
            CONSTRAINT ck_reversal_proposal_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_reversal_proposal_decided_has_date CHECK ((state = 'proposed') = (decided_at IS NULL)),
            CONSTRAINT ck_reversal_proposal_decision_whole CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
            CONSTRAINT ck_reversal_proposal_decided_by_another CHECK ((state = 'withdrawn') = (decided_by = proposed_by)),
            CONSTRAINT ck_reversal_proposal_confirmed_has_entry CHECK ((state = 'confirmed') = (reversal_id IS NOT NULL)),
            CONSTRAINT ck_reversal_proposal_refused_has_reason CHECK ((state = 'refused') = (refuse_reason IS NOT NULL)),
            CONSTRAINT fk_reversal_proposal_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_reversal_proposal_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_reversal_proposal_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_reversal_proposal_reversal_id UNIQUE (reversal_id),
            CONSTRAINT fk_reversal_proposal_reversal_id FOREIGN KEY(reversal_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_reversal_proposal_entry_id ON reversal_proposal (entry_id)")
    op.execute("CREATE UNIQUE INDEX uq_reversal_proposal_open ON reversal_proposal (entry_id) WHERE state = 'proposed'")
    op.execute(
        """
        CREATE TRIGGER reversal_proposal_written_once BEFORE UPDATE OR DELETE ON reversal_proposal FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('decided_by,decided_at,refuse_reason,reversal_id', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER reversal_proposal_never_emptied BEFORE TRUNCATE ON reversal_proposal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE reversal_proposal")
