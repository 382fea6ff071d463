"""Make the tables of reporting."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE periodic_report (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            reference TEXT NOT NULL,
            kind TEXT NOT NULL,
            starts_on DATE NOT NULL,
            ends_before DATE NOT NULL,
            due_on DATE NOT NULL,
            state TEXT NOT NULL,
            dossier_id UUID NOT NULL,
            budget_id UUID NOT NULL,
            submitted_at TIMESTAMP WITH TIME ZONE,
            submitted_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_by UUID,
            answer TEXT,
            accepted_total BIGINT,
            CONSTRAINT pk_periodic_report PRIMARY KEY (id),
            CONSTRAINT uq_periodic_report_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_periodic_report_state_known CHECK (state IN ('draft', 'submitted', 'returned', 'accepted', 'rejected')),
            CONSTRAINT ck_periodic_report_kind_known CHECK (kind IN ('interim', 'final')),
            CONSTRAINT ck_periodic_report_period_in_order CHECK (starts_on < ends_before),
            CONSTRAINT ck_periodic_report_accepted_has_total CHECK ((state = 'accepted') = (accepted_total IS NOT NULL)),
            CONSTRAINT ck_periodic_report_submitted_has_time CHECK (state IN ('draft') OR submitted_at IS NOT NULL),
            CONSTRAINT ck_periodic_report_decided_has_person CHECK (state NOT IN ('accepted', 'rejected') OR decided_by IS NOT NULL),
            CONSTRAINT fk_periodic_report_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_periodic_report_reference UNIQUE (reference),
            CONSTRAINT fk_periodic_report_dossier_id FOREIGN KEY(dossier_id) REFERENCES dossier (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_periodic_report_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_periodic_report_submitted_by FOREIGN KEY(submitted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_periodic_report_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE accepted_cost (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            report_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            category TEXT NOT NULL,
            declared BIGINT NOT NULL,
            accepted BIGINT NOT NULL,
            reason TEXT,
            CONSTRAINT pk_accepted_cost PRIMARY KEY (id),
            CONSTRAINT uq_accepted_cost_report_id_organisation_id_category UNIQUE (report_id, organisation_id, category),
            CONSTRAINT ck_accepted_cost_accepted_within_declared CHECK (accepted >= 0 AND accepted <= declared),
            CONSTRAINT ck_accepted_cost_cut_has_reason CHECK (accepted = declared OR reason IS NOT NULL),
            CONSTRAINT fk_accepted_cost_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_accepted_cost_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE report_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            report_id UUID NOT NULL,
            number INTEGER NOT NULL,
            submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            submitted_by UUID NOT NULL,
            content JSONB NOT NULL,
            sha256 BYTEA NOT NULL,
            declared_total BIGINT NOT NULL,
            CONSTRAINT pk_report_version PRIMARY KEY (id),
            CONSTRAINT uq_report_version_report_id_number UNIQUE (report_id, number),
            CONSTRAINT ck_report_version_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT fk_report_version_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_report_version_submitted_by FOREIGN KEY(submitted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER report_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON report_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE accepted_cost, periodic_report, report_version")
