"""Make the tables of agreements."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE bank_account (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            organisation_id UUID NOT NULL,
            holder TEXT NOT NULL,
            iban TEXT NOT NULL,
            bic TEXT,
            state TEXT NOT NULL,
            entered_by UUID NOT NULL,
            entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            evidence TEXT,
            CONSTRAINT pk_bank_account PRIMARY KEY (id),
            CONSTRAINT ck_bank_account_state_known CHECK (state IN ('proposed', 'confirmed', 'replaced', 'refused')),
            CONSTRAINT ck_bank_account_confirmed_has_person CHECK (state <> 'confirmed' OR confirmed_by IS NOT NULL),
            CONSTRAINT ck_bank_account_two_people CHECK (confirmed_by IS NULL OR confirmed_by <> entered_by),
            CONSTRAINT ck_bank_account_confirmed_has_time CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
            CONSTRAINT fk_bank_account_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_account_entered_by FOREIGN KEY(entered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_bank_account_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_bank_account_organisation_id ON bank_account (organisation_id)")
    op.execute(
        """
        CREATE UNIQUE INDEX uq_bank_account_one_confirmed ON bank_account (organisation_id) WHERE state = 'confirmed'
        """
    )
    op.execute(
        """
        CREATE TABLE grant_agreement (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            call_id UUID NOT NULL,
            fund_source_id UUID NOT NULL,
            reference TEXT NOT NULL,
            title TEXT NOT NULL,
            acronym TEXT,
            state TEXT NOT NULL,
            coordinator_id UUID NOT NULL,
            budget_id UUID,
            maximum BIGINT NOT NULL,
            amount_note TEXT,
            starts_on DATE NOT NULL,
            ends_before DATE NOT NULL,
            prefinancing BIGINT NOT NULL,
            interim_ceiling BIGINT NOT NULL,
            retention BIGINT NOT NULL,
            offered_text JSONB,
            in_force_at TIMESTAMP WITH TIME ZONE,
            closed_at TIMESTAMP WITH TIME ZONE,
            final_amount BIGINT,
            search_text TEXT NOT NULL,
            CONSTRAINT pk_grant_agreement PRIMARY KEY (id),
            CONSTRAINT ck_grant_agreement_state_known CHECK (state IN ('preparation', 'ready_to_sign', 'in_force', 'closed', 'dropped')),
            CONSTRAINT ck_grant_agreement_maximum_positive CHECK (maximum > 0),
            CONSTRAINT ck_grant_agreement_period_in_order CHECK (starts_on < ends_before),
            CONSTRAINT ck_grant_agreement_limits_in_order CHECK (0 <= retention AND retention <= prefinancing AND prefinancing <= interim_ceiling AND interim_ceiling <= maximum),
            CONSTRAINT ck_grant_agreement_in_force_has_time CHECK (state NOT IN ('in_force', 'closed') OR in_force_at IS NOT NULL),
            CONSTRAINT ck_grant_agreement_closed_has_time CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
            CONSTRAINT ck_grant_agreement_offered_has_text CHECK (state NOT IN ('ready_to_sign', 'in_force', 'closed') OR offered_text IS NOT NULL),
            CONSTRAINT uq_grant_agreement_application_id UNIQUE (application_id),
            CONSTRAINT fk_grant_agreement_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_grant_agreement_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_grant_agreement_fund_source_id FOREIGN KEY(fund_source_id) REFERENCES fund_source (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_grant_agreement_reference UNIQUE (reference),
            CONSTRAINT fk_grant_agreement_coordinator_id FOREIGN KEY(coordinator_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_grant_agreement_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_grant_agreement_coordinator_id ON grant_agreement (coordinator_id)")
    op.execute("CREATE INDEX ix_grant_agreement_call_state ON grant_agreement (call_id, state, reference)")
    op.execute(
        """
        CREATE TABLE agreement_signature (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            side TEXT NOT NULL,
            signed_by UUID NOT NULL,
            signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            name TEXT NOT NULL,
            capacity TEXT NOT NULL,
            document_sha256 BYTEA NOT NULL,
            CONSTRAINT pk_agreement_signature PRIMARY KEY (id),
            CONSTRAINT uq_agreement_signature_grant_id_side UNIQUE (grant_id, side),
            CONSTRAINT ck_agreement_signature_side_known CHECK (side IN ('city', 'programme')),
            CONSTRAINT ck_agreement_signature_document_sha256_length CHECK (octet_length(document_sha256) = 32),
            CONSTRAINT fk_agreement_signature_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_signature_signed_by FOREIGN KEY(signed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE beneficiary (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            position INTEGER NOT NULL,
            is_coordinator BOOLEAN NOT NULL,
            maximum BIGINT NOT NULL,
            CONSTRAINT pk_beneficiary PRIMARY KEY (id),
            CONSTRAINT uq_beneficiary_grant_id_organisation_id UNIQUE (grant_id, organisation_id),
            CONSTRAINT ck_beneficiary_maximum_not_negative CHECK (maximum >= 0),
            CONSTRAINT fk_beneficiary_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_beneficiary_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_beneficiary_one_coordinator ON beneficiary (grant_id) WHERE is_coordinator")
    op.execute("CREATE INDEX ix_beneficiary_organisation_id ON beneficiary (organisation_id)")
    op.execute(
        """
        CREATE TABLE due_diligence_item (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            key TEXT NOT NULL,
            label TEXT NOT NULL,
            position INTEGER NOT NULL,
            answer TEXT NOT NULL,
            note TEXT,
            evidence_on DATE,
            answered_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            CONSTRAINT pk_due_diligence_item PRIMARY KEY (id),
            CONSTRAINT uq_due_diligence_item_grant_id_key UNIQUE (grant_id, key),
            CONSTRAINT ck_due_diligence_item_answer_known CHECK (answer IN ('open', 'done', 'not_applicable')),
            CONSTRAINT ck_due_diligence_item_answer_has_time CHECK ((answer = 'open') = (answered_at IS NULL)),
            CONSTRAINT ck_due_diligence_item_answer_has_person CHECK ((answer = 'open') = (answered_by IS NULL)),
            CONSTRAINT ck_due_diligence_item_not_applicable_has_note CHECK (answer <> 'not_applicable' OR note IS NOT NULL),
            CONSTRAINT fk_due_diligence_item_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_due_diligence_item_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE milestone (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            title TEXT NOT NULL,
            criterion TEXT NOT NULL,
            due_on DATE NOT NULL,
            state TEXT NOT NULL,
            achieved_on DATE,
            report TEXT,
            answer TEXT,
            reported_at TIMESTAMP WITH TIME ZONE,
            reported_by UUID,
            accepted_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            CONSTRAINT pk_milestone PRIMARY KEY (id),
            CONSTRAINT uq_milestone_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_milestone_state_known CHECK (state IN ('planned', 'submitted', 'returned', 'accepted')),
            CONSTRAINT ck_milestone_accepted_has_time CHECK ((state = 'accepted') = (accepted_at IS NOT NULL)),
            CONSTRAINT fk_milestone_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_milestone_reported_by FOREIGN KEY(reported_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_milestone_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE payment_schedule_line (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            report_number INTEGER,
            planned BIGINT NOT NULL,
            due_on DATE NOT NULL,
            CONSTRAINT pk_payment_schedule_line PRIMARY KEY (id),
            CONSTRAINT uq_payment_schedule_line_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_payment_schedule_line_kind_known CHECK (kind IN ('prefinancing', 'interim', 'balance')),
            CONSTRAINT ck_payment_schedule_line_planned_not_negative CHECK (planned >= 0),
            CONSTRAINT ck_payment_schedule_line_report_opens_it CHECK ((kind = 'prefinancing') = (report_number IS NULL)),
            CONSTRAINT fk_payment_schedule_line_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )


def downgrade() -> None:
    op.execute(
        "DROP TABLE agreement_signature, bank_account, beneficiary, due_diligence_item, grant_agreement, milestone, payment_schedule_line"
    )
