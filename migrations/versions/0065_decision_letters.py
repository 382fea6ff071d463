"""Letters that tell a decision: words of a call, mailings two people stand behind, one row a letter; left out by name with a reason."""

from __future__ import annotations

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

TABLES = (
    "evaluator_names",
    "results_publication",
    "letter_left_out",
    "decision_letter",
    "letter_mailing",
    "letter_text",
)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE letter_text (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            outcome TEXT NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            written_by UUID NOT NULL,
            written_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_letter_text PRIMARY KEY (id),
            CONSTRAINT uq_letter_text_call_id_outcome_number UNIQUE (call_id, outcome, number),
            CONSTRAINT ck_letter_text_outcome_known CHECK (outcome IN ('selected', 'reserve', 'not_funded', 'below_threshold')),
            CONSTRAINT ck_letter_text_from_one CHECK (number >= 1),
            CONSTRAINT fk_letter_text_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_letter_text_written_by FOREIGN KEY(written_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE letter_mailing (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            state TEXT NOT NULL,
            prepared_by UUID NOT NULL,
            prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            returned_by UUID,
            return_reason TEXT,
            CONSTRAINT pk_letter_mailing PRIMARY KEY (id),
            CONSTRAINT uq_letter_mailing_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_letter_mailing_state_known CHECK (state IN ('prepared', 'confirmed', 'returned')),
            CONSTRAINT ck_letter_mailing_second_person CHECK (confirmed_by <> prepared_by),
            CONSTRAINT ck_letter_mailing_returned_by_another CHECK (returned_by <> prepared_by),
            CONSTRAINT ck_letter_mailing_confirmed_has_time CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL)),
            CONSTRAINT ck_letter_mailing_confirmed_has_person CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            CONSTRAINT ck_letter_mailing_returned_has_reason CHECK ((state = 'returned') = (return_reason IS NOT NULL)),
            CONSTRAINT ck_letter_mailing_returned_has_person CHECK ((returned_by IS NULL) = (return_reason IS NULL)),
            CONSTRAINT fk_letter_mailing_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_letter_mailing_prepared_by FOREIGN KEY(prepared_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_letter_mailing_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_letter_mailing_returned_by FOREIGN KEY(returned_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_letter_mailing_one_open ON letter_mailing (call_id) WHERE state = 'prepared'")
    op.execute(
        """
        CREATE TABLE decision_letter (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            mailing_id UUID NOT NULL,
            selection_id UUID NOT NULL,
            application_id UUID NOT NULL,
            outcome TEXT NOT NULL,
            state TEXT NOT NULL,
            content JSONB NOT NULL,
            sha256 BYTEA NOT NULL,
            sent_content JSONB,
            sent_sha256 BYTEA,
            sent_at TIMESTAMP WITH TIME ZONE,
            failure TEXT,
            acknowledged_by UUID,
            acknowledged_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_decision_letter PRIMARY KEY (id),
            CONSTRAINT uq_decision_letter_mailing_id_application_id UNIQUE (mailing_id, application_id),
            CONSTRAINT ck_decision_letter_state_known CHECK (state IN ('prepared', 'queued', 'sent', 'failed', 'dropped')),
            CONSTRAINT ck_decision_letter_outcome_known CHECK (outcome IN ('selected', 'reserve', 'not_funded', 'below_threshold')),
            CONSTRAINT ck_decision_letter_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT ck_decision_letter_sent_sha256_length CHECK (octet_length(sent_sha256) = 32),
            CONSTRAINT ck_decision_letter_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
            CONSTRAINT ck_decision_letter_sent_has_content CHECK ((sent_at IS NULL) = (sent_content IS NULL) AND (sent_at IS NULL) = (sent_sha256 IS NULL)),
            CONSTRAINT ck_decision_letter_failed_has_reason CHECK ((state = 'failed') = (failure IS NOT NULL)),
            CONSTRAINT ck_decision_letter_acknowledged_has_person CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
            CONSTRAINT ck_decision_letter_acknowledged_once_sent CHECK (acknowledged_at IS NULL OR sent_at IS NOT NULL),
            CONSTRAINT fk_decision_letter_mailing_id FOREIGN KEY(mailing_id) REFERENCES letter_mailing (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_decision_letter_selection_id FOREIGN KEY(selection_id) REFERENCES selection (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_decision_letter_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_decision_letter_acknowledged_by FOREIGN KEY(acknowledged_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_decision_letter_application_id ON decision_letter (application_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_decision_letter_one ON decision_letter (selection_id, application_id, outcome) WHERE state <> 'dropped'"
    )
    op.execute(
        """
        CREATE TABLE letter_left_out (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            reason TEXT NOT NULL,
            left_out_by UUID NOT NULL,
            left_out_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_by UUID,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_letter_left_out PRIMARY KEY (id),
            CONSTRAINT ck_letter_left_out_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_letter_left_out_ended_has_person CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
            CONSTRAINT fk_letter_left_out_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_letter_left_out_left_out_by FOREIGN KEY(left_out_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_letter_left_out_ended_by FOREIGN KEY(ended_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_letter_left_out_one_open ON letter_left_out (application_id) WHERE ended_at IS NULL"
    )
    op.execute(
        """
        CREATE TABLE results_publication (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            state TEXT NOT NULL,
            given JSONB NOT NULL,
            without_letters TEXT NOT NULL,
            prepared_by UUID NOT NULL,
            prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            returned_by UUID,
            return_reason TEXT,
            CONSTRAINT pk_results_publication PRIMARY KEY (id),
            CONSTRAINT uq_results_publication_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_results_publication_state_known CHECK (state IN ('prepared', 'confirmed', 'returned')),
            CONSTRAINT ck_results_publication_second_person CHECK (confirmed_by <> prepared_by),
            CONSTRAINT ck_results_publication_returned_by_another CHECK (returned_by <> prepared_by),
            CONSTRAINT ck_results_publication_confirmed_has_time CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL)),
            CONSTRAINT ck_results_publication_confirmed_has_person CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            CONSTRAINT ck_results_publication_returned_has_reason CHECK ((state = 'returned') = (return_reason IS NOT NULL)),
            CONSTRAINT ck_results_publication_returned_has_person CHECK ((returned_by IS NULL) = (return_reason IS NULL)),
            CONSTRAINT fk_results_publication_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_results_publication_prepared_by FOREIGN KEY(prepared_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_results_publication_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_results_publication_returned_by FOREIGN KEY(returned_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_results_publication_one_open ON results_publication (call_id) WHERE state = 'prepared'"
    )
    op.execute(
        """
        CREATE TABLE evaluator_names (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            shown TEXT NOT NULL,
            left_out JSONB NOT NULL,
            decided_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_evaluator_names PRIMARY KEY (id),
            CONSTRAINT uq_evaluator_names_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_evaluator_names_shown_known CHECK (shown IN ('call', 'year', 'nowhere')),
            CONSTRAINT ck_evaluator_names_from_one CHECK (number >= 1),
            CONSTRAINT fk_evaluator_names_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_names_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER letter_text_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON letter_text "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER evaluator_names_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evaluator_names "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE TRIGGER decision_letter_written_once BEFORE UPDATE OR DELETE ON decision_letter FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('sent_content,sent_sha256,sent_at,acknowledged_by,acknowledged_at', 'state,failure')
        """
    )
    op.execute(
        """
        CREATE TRIGGER decision_letter_never_emptied BEFORE TRUNCATE ON decision_letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_left_out_written_once BEFORE UPDATE OR DELETE ON letter_left_out FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('ended_by,ended_at', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_left_out_never_emptied BEFORE TRUNCATE ON letter_left_out FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_mailing_written_once BEFORE UPDATE OR DELETE ON letter_mailing FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at,returned_by,return_reason', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_mailing_never_emptied BEFORE TRUNCATE ON letter_mailing FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER results_publication_written_once BEFORE UPDATE OR DELETE ON results_publication FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at,returned_by,return_reason', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER results_publication_never_emptied BEFORE TRUNCATE ON results_publication FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
