"""Make the tables of applications."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE application (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            reference TEXT NOT NULL,
            title TEXT NOT NULL,
            acronym TEXT,
            summary TEXT,
            state TEXT NOT NULL,
            origin TEXT NOT NULL,
            source_url TEXT,
            synthetic_note TEXT,
            coordinator_id UUID NOT NULL,
            dossier_id UUID,
            budget_id UUID,
            submission_id UUID,
            submitted_at TIMESTAMP WITH TIME ZONE,
            requested BIGINT,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            search_text TEXT NOT NULL,
            CONSTRAINT pk_application PRIMARY KEY (id),
            CONSTRAINT ck_application_state_known CHECK (state IN ('draft', 'submitted', 'withdrawn', 'eligible', 'ineligible', 'under_evaluation', 'selected', 'reserve', 'below_threshold', 'not_funded', 'in_preparation', 'awarded', 'declined', 'dropped')),
            CONSTRAINT ck_application_origin_known CHECK (origin IN ('submitted_here', 'published_outcome')),
            CONSTRAINT ck_application_submitted_has_submission CHECK (state IN ('draft', 'withdrawn') OR origin = 'published_outcome' OR submission_id IS NOT NULL),
            CONSTRAINT ck_application_published_has_source CHECK ((origin = 'published_outcome') = (source_url IS NOT NULL)),
            CONSTRAINT ck_application_withdrawn_has_time CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
            CONSTRAINT ck_application_requested_not_negative CHECK (requested IS NULL OR requested >= 0),
            CONSTRAINT uq_application_reference UNIQUE (reference)
        )
        """
    )
    op.execute("CREATE INDEX ix_application_newest ON application (created_at, id)")
    op.execute("CREATE INDEX ix_application_call_state ON application (call_id, state, reference)")
    op.execute("CREATE INDEX ix_application_coordinator_id ON application (coordinator_id)")
    op.execute(
        """
        CREATE TABLE submission (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            number INTEGER NOT NULL,
            receipt_number INTEGER NOT NULL,
            submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            submitted_by UUID NOT NULL,
            closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
            content JSONB NOT NULL,
            sha256 BYTEA NOT NULL,
            requested BIGINT NOT NULL,
            CONSTRAINT pk_submission PRIMARY KEY (id),
            CONSTRAINT uq_submission_application_id_number UNIQUE (application_id, number),
            CONSTRAINT ck_submission_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT uq_submission_receipt_number UNIQUE (receipt_number)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE application_partner (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            position INTEGER NOT NULL,
            role TEXT NOT NULL,
            state TEXT NOT NULL,
            contact_user_id UUID,
            invited_at TIMESTAMP WITH TIME ZONE,
            answered_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_application_partner PRIMARY KEY (id),
            CONSTRAINT uq_application_partner_application_id_organisation_id UNIQUE (application_id, organisation_id),
            CONSTRAINT ck_application_partner_state_known CHECK (state IN ('invited', 'accepted', 'declined')),
            CONSTRAINT ck_application_partner_role_known CHECK (role IN ('coordinator', 'partner')),
            CONSTRAINT fk_application_partner_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_partner_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_application_partner_contact_user_id FOREIGN KEY(contact_user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_application_partner_one_coordinator ON application_partner (application_id) WHERE role = 'coordinator'
        """
    )
    op.execute("CREATE INDEX ix_application_partner_organisation_id ON application_partner (organisation_id)")
    op.execute(
        """
        CREATE TABLE eligibility_check (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            submission_id UUID NOT NULL,
            verdict TEXT,
            reason TEXT,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_by UUID,
            saves INTEGER NOT NULL,
            CONSTRAINT pk_eligibility_check PRIMARY KEY (id),
            CONSTRAINT uq_eligibility_check_submission_id UNIQUE (submission_id),
            CONSTRAINT ck_eligibility_check_verdict_has_time CHECK ((verdict IS NULL) = (decided_at IS NULL)),
            CONSTRAINT ck_eligibility_check_verdict_has_person CHECK ((verdict IS NULL) = (decided_by IS NULL)),
            CONSTRAINT fk_eligibility_check_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_check_submission_id FOREIGN KEY(submission_id) REFERENCES submission (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_eligibility_check_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_eligibility_check_application_id ON eligibility_check (application_id)")
    op.execute(
        """
        CREATE TABLE eligibility_result (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            check_id UUID NOT NULL,
            condition TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT,
            CONSTRAINT pk_eligibility_result PRIMARY KEY (id),
            CONSTRAINT uq_eligibility_result_check_id_condition UNIQUE (check_id, condition),
            CONSTRAINT ck_eligibility_result_verdict_known CHECK (verdict IN ('pass', 'fail')),
            CONSTRAINT ck_eligibility_result_fail_has_reason CHECK (verdict = 'pass' OR reason IS NOT NULL),
            CONSTRAINT fk_eligibility_result_check_id FOREIGN KEY(check_id) REFERENCES eligibility_check (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        ALTER TABLE application ADD CONSTRAINT fk_application_coordinator_id FOREIGN KEY(coordinator_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        ALTER TABLE application ADD CONSTRAINT fk_application_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        ALTER TABLE submission ADD CONSTRAINT fk_submission_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        ALTER TABLE application ADD CONSTRAINT fk_application_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        ALTER TABLE application ADD CONSTRAINT fk_application_dossier_id FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        ALTER TABLE application ADD CONSTRAINT fk_application_submission_id FOREIGN KEY(submission_id) REFERENCES submission (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        ALTER TABLE submission ADD CONSTRAINT fk_submission_submitted_by FOREIGN KEY(submitted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute(
        """
        CREATE TRIGGER submission_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON submission FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE application, application_partner, eligibility_check, eligibility_result, submission")
