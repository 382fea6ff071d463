"""A grant is terminated: proposed, objected to, confirmed by a second person, carried out on its day."""

from __future__ import annotations

from alembic import op

revision = "0126"
down_revision = "0125"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE agreement_termination (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            state TEXT NOT NULL,
            by_side TEXT NOT NULL,
            reason TEXT NOT NULL,
            words TEXT NOT NULL,
            notice_id UUID NOT NULL,
            wanted_on DATE NOT NULL,
            objections_until DATE NOT NULL,
            proposed_by UUID NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            objection TEXT,
            objected_by UUID,
            objected_at TIMESTAMP WITH TIME ZONE,
            answer TEXT,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            effective_on DATE,
            withdrawn_by UUID,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            withdraw_words TEXT,
            carried_out_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_agreement_termination PRIMARY KEY (id),
            CONSTRAINT uq_agreement_termination_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_agreement_termination_state_known CHECK (state IN ('proposed', 'objected', 'confirmed', 'withdrawn')),
            CONSTRAINT ck_agreement_termination_by_side_known CHECK (by_side IN ('city', 'programme')),
            CONSTRAINT ck_agreement_termination_reason_known CHECK (reason IN ('requested', 'force_majeure', 'not_carried_out', 'breach', 'irregularity', 'insolvency', 'change', 'other')),
            CONSTRAINT ck_agreement_termination_number_counts CHECK (number > 0),
            CONSTRAINT ck_agreement_termination_has_words CHECK (words <> ''),
            CONSTRAINT ck_agreement_termination_objected_whole CHECK ((objected_at IS NULL) = (objection IS NULL) AND (objected_at IS NULL) = (objected_by IS NULL) AND (state <> 'objected' OR objected_at IS NOT NULL)),
            CONSTRAINT ck_agreement_termination_confirmed_whole CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL) AND (confirmed_at IS NULL) = (confirmed_by IS NULL) AND (confirmed_at IS NULL) = (effective_on IS NULL) AND (confirmed_at IS NULL) = (answer IS NULL)),
            CONSTRAINT ck_agreement_termination_withdrawn_whole CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdraw_words IS NULL)),
            CONSTRAINT ck_agreement_termination_confirmed_by_another CHECK (confirmed_by <> proposed_by),
            CONSTRAINT ck_agreement_termination_effective_not_before CHECK (effective_on >= wanted_on),
            CONSTRAINT ck_agreement_termination_carried_out_when_confirmed CHECK (carried_out_at IS NULL OR state = 'confirmed'),
            CONSTRAINT fk_agreement_termination_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_termination_notice_id FOREIGN KEY(notice_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_termination_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_termination_objected_by FOREIGN KEY(objected_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_termination_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_termination_withdrawn_by FOREIGN KEY(withdrawn_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_termination_standing ON agreement_termination (grant_id) "
        "WHERE state IN ('proposed', 'objected', 'confirmed')"
    )
    op.execute(
        "CREATE TRIGGER agreement_termination_written_once BEFORE UPDATE OR DELETE ON agreement_termination "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('objection,objected_by,objected_at,answer,confirmed_by,confirmed_at,"
        "effective_on,withdrawn_by,withdrawn_at,withdraw_words,carried_out_at', 'state')"
    )
    op.execute(
        "CREATE TRIGGER agreement_termination_never_emptied BEFORE TRUNCATE ON agreement_termination "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    _states_of_grants(", 'terminated'")
    _states_of_reports(", 'dropped', 'unsent'", ", 'dropped', 'unsent'", ", 'unsent'")


def _states_of_grants(more: str) -> None:
    op.execute(
        f"""
        ALTER TABLE grant_agreement
            DROP CONSTRAINT ck_grant_agreement_state_known,
            DROP CONSTRAINT ck_grant_agreement_in_force_has_time,
            DROP CONSTRAINT ck_grant_agreement_offered_once,
            ADD CONSTRAINT ck_grant_agreement_state_known CHECK (state IN ('preparation', 'ready_to_sign', 'in_force'{more}, 'closed', 'dropped')),
            ADD CONSTRAINT ck_grant_agreement_in_force_has_time CHECK (state NOT IN ('in_force'{more}, 'closed') OR in_force_at IS NOT NULL),
            ADD CONSTRAINT ck_grant_agreement_offered_once CHECK (state NOT IN ('ready_to_sign', 'in_force'{more}, 'closed') OR offer_no > 0)
        """
    )


def _states_of_reports(known: str, never_sent: str, decided: str) -> None:
    op.execute(
        f"""
        ALTER TABLE periodic_report
            DROP CONSTRAINT ck_periodic_report_state_known,
            DROP CONSTRAINT ck_periodic_report_submitted_has_time,
            DROP CONSTRAINT ck_periodic_report_decided_has_person,
            ADD CONSTRAINT ck_periodic_report_state_known CHECK (state IN ('draft', 'submitted', 'returned', 'accepted', 'rejected'{known})),
            ADD CONSTRAINT ck_periodic_report_submitted_has_time CHECK (state IN ('draft'{never_sent}) OR submitted_at IS NOT NULL),
            ADD CONSTRAINT ck_periodic_report_decided_has_person CHECK (state NOT IN ('accepted', 'rejected'{decided}) OR decided_by IS NOT NULL)
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM agreement_termination) THEN
            RAISE EXCEPTION 'terminations of grants were proposed: that would be lost';
          END IF;
          IF EXISTS (SELECT FROM grant_agreement WHERE state = 'terminated')
             OR EXISTS (SELECT FROM periodic_report WHERE state IN ('dropped', 'unsent')) THEN
            RAISE EXCEPTION 'grants were terminated: that would be lost';
          END IF;
        END $$
        """
    )
    _states_of_reports("", "", "")
    _states_of_grants("")
    op.execute("DROP TABLE agreement_termination")
