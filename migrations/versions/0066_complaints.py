"""Complaints against negative results: drafted and sent by the applicant, decided by a committee of two."""

from __future__ import annotations

from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE complaint (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            about TEXT NOT NULL,
            reached_at TIMESTAMP WITH TIME ZONE NOT NULL,
            due_at TIMESTAMP WITH TIME ZONE NOT NULL,
            state TEXT NOT NULL,
            grounds JSONB NOT NULL,
            text TEXT NOT NULL,
            drafted_by UUID NOT NULL,
            sent_at TIMESTAMP WITH TIME ZONE,
            sent_by UUID,
            sha256 BYTEA,
            first_decide_at TIMESTAMP WITH TIME ZONE,
            decide_at TIMESTAMP WITH TIME ZONE,
            extension_reason TEXT,
            checked_by UUID,
            checked_at TIMESTAMP WITH TIME ZONE,
            check_reason TEXT,
            member_one UUID,
            member_two UUID,
            named_by UUID,
            upholds BOOLEAN,
            remedy TEXT,
            decision TEXT,
            proposed_by UUID,
            proposed_at TIMESTAMP WITH TIME ZONE,
            return_reason TEXT,
            confirmed_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            letter JSONB,
            letter_sha256 BYTEA,
            entry_id UUID,
            settled_at TIMESTAMP WITH TIME ZONE,
            settled_by UUID,
            settled_words TEXT,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            withdrawn_by UUID,
            withdraw_reason TEXT,
            CONSTRAINT pk_complaint PRIMARY KEY (id),
            CONSTRAINT uq_complaint_application_id_number UNIQUE (application_id, number),
            CONSTRAINT ck_complaint_state_known CHECK (state IN ('draft', 'received', 'admissible', 'inadmissible', 'under_review', 'upheld', 'rejected', 'withdrawn')),
            CONSTRAINT ck_complaint_about_known CHECK (about IN ('draft', 'submitted', 'withdrawn', 'eligible', 'ineligible', 'under_evaluation', 'selected', 'reserve', 'below_threshold', 'not_funded', 'in_preparation', 'awarded', 'declined', 'dropped')),
            CONSTRAINT ck_complaint_remedy_known CHECK (remedy IN ('restore', 'repeat', 'correct')),
            CONSTRAINT ck_complaint_sent_whole CHECK ((state = 'draft') = (sent_at IS NULL) AND (sent_at IS NULL) = (sent_by IS NULL) AND (sent_at IS NULL) = (sha256 IS NULL) AND (sent_at IS NULL) = (decide_at IS NULL) AND (sent_at IS NULL) = (first_decide_at IS NULL)),
            CONSTRAINT ck_complaint_sent_in_time CHECK (sent_at < due_at),
            CONSTRAINT ck_complaint_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT ck_complaint_extension_has_reason CHECK (decide_at = first_decide_at OR extension_reason IS NOT NULL),
            CONSTRAINT ck_complaint_checked_whole CHECK ((checked_by IS NULL) = (checked_at IS NULL)),
            CONSTRAINT ck_complaint_checked_first CHECK (state NOT IN ('admissible', 'inadmissible', 'under_review', 'upheld', 'rejected') OR checked_by IS NOT NULL),
            CONSTRAINT ck_complaint_inadmissible_has_reason CHECK (state <> 'inadmissible' OR check_reason IS NOT NULL),
            CONSTRAINT ck_complaint_two_members CHECK (member_one <> member_two),
            CONSTRAINT ck_complaint_reviewed_by_two CHECK (state NOT IN ('under_review', 'upheld', 'rejected') OR (member_one IS NOT NULL AND member_two IS NOT NULL)),
            CONSTRAINT ck_complaint_upheld_has_remedy CHECK ((upholds IS TRUE) = (remedy IS NOT NULL)),
            CONSTRAINT ck_complaint_proposed_whole CHECK ((proposed_by IS NULL) = (upholds IS NULL)),
            CONSTRAINT ck_complaint_second_person CHECK (confirmed_by <> proposed_by),
            CONSTRAINT ck_complaint_decided_whole CHECK ((state IN ('upheld', 'rejected')) = (decided_at IS NOT NULL) AND (decided_at IS NULL) = (confirmed_by IS NULL) AND (decided_at IS NULL) = (letter IS NULL) AND (decided_at IS NULL) = (letter_sha256 IS NULL)),
            CONSTRAINT ck_complaint_decided_as_proposed CHECK (decided_at IS NULL OR upholds = (state = 'upheld')),
            CONSTRAINT ck_complaint_withdrawn_whole CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)),
            CONSTRAINT ck_complaint_settled_whole CHECK ((settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (settled_words IS NULL)),
            CONSTRAINT fk_complaint_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_drafted_by FOREIGN KEY(drafted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_sent_by FOREIGN KEY(sent_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_checked_by FOREIGN KEY(checked_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_member_one FOREIGN KEY(member_one) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_member_two FOREIGN KEY(member_two) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_named_by FOREIGN KEY(named_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_settled_by FOREIGN KEY(settled_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_complaint_withdrawn_by FOREIGN KEY(withdrawn_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_complaint_call ON complaint (call_id, state, sent_at)")
    op.execute("CREATE INDEX ix_complaint_member_one ON complaint (member_one)")
    op.execute("CREATE INDEX ix_complaint_member_two ON complaint (member_two)")
    op.execute("CREATE UNIQUE INDEX uq_complaint_one ON complaint (application_id, about) WHERE state <> 'withdrawn'")
    op.execute(
        """
        CREATE TRIGGER complaint_written_once BEFORE UPDATE OR DELETE ON complaint
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('sent_at,sent_by,sha256,first_decide_at,checked_by,checked_at,check_reason,confirmed_by,decided_at,letter,letter_sha256,withdrawn_at,withdrawn_by,withdraw_reason,entry_id,settled_at,settled_by,settled_words', 'state,text,grounds,drafted_by,decide_at,extension_reason,member_one,member_two,named_by,remedy,upholds,decision,proposed_by,proposed_at,return_reason')
        """
    )
    op.execute(
        """
        CREATE TRIGGER complaint_never_emptied BEFORE TRUNCATE ON complaint
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER complaint_kept AFTER UPDATE ON complaint
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )
    # What was sent stands as it was sent, and what was decided as it was decided.
    op.execute(
        """
        CREATE TRIGGER complaint_sent_stands BEFORE UPDATE ON complaint
        FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL)
            EXECUTE FUNCTION refuse_rewriting('sent_at,sent_by,sha256,first_decide_at,checked_by,checked_at,check_reason,confirmed_by,decided_at,letter,letter_sha256,withdrawn_at,withdrawn_by,withdraw_reason,entry_id,settled_at,settled_by,settled_words', 'state,decide_at,extension_reason,member_one,member_two,named_by,remedy,upholds,decision,proposed_by,proposed_at,return_reason')
        """
    )
    op.execute(
        """
        CREATE TRIGGER complaint_decision_stands BEFORE UPDATE ON complaint
        FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL)
            EXECUTE FUNCTION refuse_rewriting('entry_id,settled_at,settled_by,settled_words', '')
        """
    )
    # The money of an outcome that a complaint corrected is reserved under the item of the list it was not selected by.
    op.execute("ALTER TABLE selection_item DROP CONSTRAINT ck_selection_item_only_selected_is_reserved")


def downgrade() -> None:
    op.execute(
        "ALTER TABLE selection_item ADD CONSTRAINT ck_selection_item_only_selected_is_reserved "
        "CHECK (entry_id IS NULL OR outcome IN ('selected', 'reserve'))"
    )
    op.execute("DROP TABLE complaint")
