"""Make the tables of awards."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE selection (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            budget BIGINT NOT NULL,
            used BIGINT NOT NULL,
            rules JSONB NOT NULL,
            line_words TEXT NOT NULL,
            list_sha256 BYTEA NOT NULL,
            reason TEXT NOT NULL,
            source_url TEXT,
            source_title TEXT,
            decided_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            returned_by UUID,
            return_reason TEXT,
            CONSTRAINT pk_selection PRIMARY KEY (id),
            CONSTRAINT uq_selection_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_selection_state_known CHECK (state IN ('decided', 'confirmed', 'returned')),
            CONSTRAINT ck_selection_kind_known CHECK (kind IN ('ranked', 'published_outcome')),
            CONSTRAINT ck_selection_second_person CHECK (confirmed_by <> decided_by),
            CONSTRAINT ck_selection_returned_by_another CHECK (returned_by <> decided_by),
            CONSTRAINT ck_selection_confirmed_has_time CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL)),
            CONSTRAINT ck_selection_confirmed_has_person CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            CONSTRAINT ck_selection_returned_has_reason CHECK ((state = 'returned') = (return_reason IS NOT NULL)),
            CONSTRAINT ck_selection_returned_has_person CHECK ((returned_by IS NULL) = (return_reason IS NULL)),
            CONSTRAINT ck_selection_within_budget CHECK (used >= 0 AND used <= budget),
            CONSTRAINT ck_selection_published_has_source CHECK ((kind = 'published_outcome') = (source_url IS NOT NULL)),
            CONSTRAINT ck_selection_list_sha256_length CHECK (octet_length(list_sha256) = 32),
            CONSTRAINT fk_selection_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_returned_by FOREIGN KEY(returned_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_selection_one_ranked ON selection (call_id) WHERE kind = 'ranked' AND state = 'confirmed'
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_selection_one_open ON selection (call_id) WHERE state = 'decided'")
    op.execute(
        """
        CREATE TABLE selection_item (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            selection_id UUID NOT NULL,
            application_id UUID NOT NULL,
            position INTEGER NOT NULL,
            rank INTEGER,
            outcome TEXT NOT NULL,
            amount BIGINT NOT NULL,
            amount_basis TEXT NOT NULL,
            score TEXT,
            halves JSONB,
            tie_words TEXT NOT NULL,
            threshold_words TEXT NOT NULL,
            straddles BOOLEAN NOT NULL,
            missing BIGINT NOT NULL,
            entry_id UUID,
            CONSTRAINT pk_selection_item PRIMARY KEY (id),
            CONSTRAINT uq_selection_item_selection_id_application_id UNIQUE (selection_id, application_id),
            CONSTRAINT uq_selection_item_selection_id_position UNIQUE (selection_id, position),
            CONSTRAINT ck_selection_item_outcome_known CHECK (outcome IN ('selected', 'reserve', 'not_funded', 'below_threshold')),
            CONSTRAINT ck_selection_item_amount_basis_known CHECK (amount_basis IN ('requested', 'published', 'synthetic')),
            CONSTRAINT ck_selection_item_below_has_no_rank CHECK (rank IS NULL OR outcome <> 'below_threshold'),
            CONSTRAINT ck_selection_item_amount_not_negative CHECK (amount >= 0),
            CONSTRAINT ck_selection_item_only_selected_is_reserved CHECK (entry_id IS NULL OR outcome IN ('selected', 'reserve')),
            CONSTRAINT fk_selection_item_selection_id FOREIGN KEY(selection_id) REFERENCES selection (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_item_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_item_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_selection_item_application_id ON selection_item (application_id)")


def downgrade() -> None:
    op.execute("DROP TABLE selection, selection_item")
