"""Make the tables of evaluation."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE assignment_run (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            input_sha256 BYTEA NOT NULL,
            seed TEXT NOT NULL,
            settings JSONB NOT NULL,
            status TEXT NOT NULL,
            objective INTEGER,
            bound INTEGER,
            reasons JSONB NOT NULL,
            certificate JSONB NOT NULL,
            applications INTEGER NOT NULL,
            evaluators INTEGER NOT NULL,
            seats INTEGER NOT NULL,
            seats_new INTEGER NOT NULL,
            pairs_priced INTEGER NOT NULL,
            rounds INTEGER NOT NULL,
            CONSTRAINT pk_assignment_run PRIMARY KEY (id),
            CONSTRAINT uq_assignment_run_call_id_number UNIQUE (call_id, number),
            CONSTRAINT ck_assignment_run_status_known CHECK (status IN ('solved', 'infeasible')),
            CONSTRAINT ck_assignment_run_input_sha256_length CHECK (octet_length(input_sha256) = 32),
            CONSTRAINT ck_assignment_run_solved_has_objective CHECK ((status = 'solved') = (objective IS NOT NULL)),
            CONSTRAINT ck_assignment_run_bound_is_reached CHECK (objective IS NOT DISTINCT FROM bound),
            CONSTRAINT ck_assignment_run_infeasible_has_reasons CHECK ((status = 'infeasible') = (jsonb_array_length(reasons) > 0)),
            CONSTRAINT fk_assignment_run_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE conflict_declaration (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL,
            application_id UUID NOT NULL,
            declared TEXT NOT NULL,
            reason TEXT,
            declared_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ruling TEXT,
            ruling_reason TEXT,
            ruled_by UUID,
            ruled_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_conflict_declaration PRIMARY KEY (id),
            CONSTRAINT uq_conflict_declaration_user_id_application_id UNIQUE (user_id, application_id),
            CONSTRAINT ck_conflict_declaration_declared_known CHECK (declared IN ('none', 'conflict', 'unsure')),
            CONSTRAINT ck_conflict_declaration_ruling_known CHECK (ruling IN ('cleared', 'confirmed')),
            CONSTRAINT ck_conflict_declaration_doubt_has_reason CHECK (declared = 'none' OR reason IS NOT NULL),
            CONSTRAINT ck_conflict_declaration_ruling_has_person CHECK ((ruling IS NULL) = (ruled_by IS NULL)),
            CONSTRAINT ck_conflict_declaration_ruling_has_time CHECK ((ruling IS NULL) = (ruled_at IS NULL)),
            CONSTRAINT ck_conflict_declaration_not_ones_own_ruling CHECK (ruled_by <> user_id),
            CONSTRAINT fk_conflict_declaration_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_conflict_declaration_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_conflict_declaration_ruled_by FOREIGN KEY(ruled_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_conflict_declaration_application_id ON conflict_declaration (application_id)")
    op.execute(
        """
        CREATE TABLE consensus (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            state TEXT NOT NULL,
            text TEXT NOT NULL,
            written_by UUID NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            saves INTEGER NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE,
            agreed_at TIMESTAMP WITH TIME ZONE,
            agreed_by JSONB NOT NULL,
            minority_view TEXT,
            CONSTRAINT pk_consensus PRIMARY KEY (id),
            CONSTRAINT uq_consensus_application_id UNIQUE (application_id),
            CONSTRAINT ck_consensus_state_known CHECK (state IN ('draft', 'proposed', 'agreed')),
            CONSTRAINT ck_consensus_agreed_has_time CHECK ((state = 'agreed') = (agreed_at IS NOT NULL)),
            CONSTRAINT ck_consensus_proposed_has_time CHECK ((state = 'draft') = (proposed_at IS NULL)),
            CONSTRAINT fk_consensus_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_consensus_written_by FOREIGN KEY(written_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE evaluator (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            user_id UUID NOT NULL,
            organisation_id UUID,
            country_code TEXT NOT NULL,
            languages JSONB NOT NULL,
            topics JSONB NOT NULL,
            load_min INTEGER NOT NULL,
            load_max INTEGER NOT NULL,
            CONSTRAINT pk_evaluator PRIMARY KEY (id),
            CONSTRAINT uq_evaluator_call_id_user_id UNIQUE (call_id, user_id),
            CONSTRAINT ck_evaluator_load_order CHECK (load_min >= 0 AND load_min <= load_max),
            CONSTRAINT ck_evaluator_country_code_form CHECK (country_code ~ '^[A-Z]{2}$'),
            CONSTRAINT fk_evaluator_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_evaluator_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_evaluator_user_id ON evaluator (user_id)")
    op.execute(
        """
        CREATE TABLE assignment (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            application_id UUID NOT NULL,
            evaluator_id UUID NOT NULL,
            run_id UUID,
            state TEXT NOT NULL,
            utility INTEGER NOT NULL,
            due_at TIMESTAMP WITH TIME ZONE,
            hand_reason TEXT,
            voided_at TIMESTAMP WITH TIME ZONE,
            void_reason TEXT,
            CONSTRAINT pk_assignment PRIMARY KEY (id),
            CONSTRAINT ck_assignment_state_known CHECK (state IN ('active', 'voided')),
            CONSTRAINT ck_assignment_voided_has_time CHECK ((state = 'voided') = (voided_at IS NOT NULL)),
            CONSTRAINT ck_assignment_voided_has_reason CHECK ((state = 'voided') = (void_reason IS NOT NULL)),
            CONSTRAINT ck_assignment_made_by_run_or_hand CHECK (run_id IS NOT NULL OR hand_reason IS NOT NULL),
            CONSTRAINT fk_assignment_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_assignment_evaluator_id FOREIGN KEY(evaluator_id) REFERENCES evaluator (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_assignment_run_id FOREIGN KEY(run_id) REFERENCES assignment_run (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_assignment_one_seat ON assignment (application_id, evaluator_id) WHERE state = 'active'
        """
    )
    op.execute("CREATE INDEX ix_assignment_evaluator_id ON assignment (evaluator_id)")
    op.execute(
        """
        CREATE TABLE consensus_score (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            consensus_id UUID NOT NULL,
            criterion TEXT NOT NULL,
            half INTEGER,
            comment TEXT NOT NULL,
            CONSTRAINT pk_consensus_score PRIMARY KEY (id),
            CONSTRAINT uq_consensus_score_consensus_id_criterion UNIQUE (consensus_id, criterion),
            CONSTRAINT ck_consensus_score_half_range CHECK (half BETWEEN 0 AND 10),
            CONSTRAINT fk_consensus_score_consensus_id FOREIGN KEY(consensus_id) REFERENCES consensus (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE assessment (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            assignment_id UUID NOT NULL,
            state TEXT NOT NULL,
            remark TEXT NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            saves INTEGER NOT NULL,
            submitted_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_assessment PRIMARY KEY (id),
            CONSTRAINT uq_assessment_assignment_id UNIQUE (assignment_id),
            CONSTRAINT ck_assessment_state_known CHECK (state IN ('draft', 'submitted')),
            CONSTRAINT ck_assessment_submitted_has_time CHECK ((state = 'submitted') = (submitted_at IS NOT NULL)),
            CONSTRAINT fk_assessment_assignment_id FOREIGN KEY(assignment_id) REFERENCES assignment (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE assessment_score (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            assessment_id UUID NOT NULL,
            criterion TEXT NOT NULL,
            half INTEGER,
            comment TEXT NOT NULL,
            CONSTRAINT pk_assessment_score PRIMARY KEY (id),
            CONSTRAINT uq_assessment_score_assessment_id_criterion UNIQUE (assessment_id, criterion),
            CONSTRAINT ck_assessment_score_half_range CHECK (half BETWEEN 0 AND 10),
            CONSTRAINT fk_assessment_score_assessment_id FOREIGN KEY(assessment_id) REFERENCES assessment (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER assignment_run_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment_run FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute(
        "DROP TABLE assessment, assessment_score, assignment, assignment_run, conflict_declaration, consensus, consensus_score, evaluator"
    )
