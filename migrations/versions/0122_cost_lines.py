"""Costs of reports line by line, and what is decided of those that stand in another report too."""

from __future__ import annotations

from alembic import op

revision = "0122"
down_revision = "0121"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE periodic_report
            ADD COLUMN evidence TEXT NOT NULL DEFAULT 'totals',
            ADD CONSTRAINT ck_periodic_report_evidence_known CHECK (evidence IN ('totals', 'lines', 'files'))
        """
    )
    op.execute("ALTER TABLE periodic_report ALTER COLUMN evidence DROP DEFAULT")
    op.execute(
        """
        CREATE TABLE cost_list (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            report_id UUID NOT NULL,
            lines INTEGER NOT NULL,
            total BIGINT NOT NULL,
            sha256 TEXT NOT NULL,
            rates JSONB NOT NULL,
            saved_by UUID NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_cost_list PRIMARY KEY (id),
            CONSTRAINT uq_cost_list_report_id UNIQUE (report_id),
            CONSTRAINT ck_cost_list_lines_counted CHECK (lines >= 0),
            CONSTRAINT ck_cost_list_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT fk_cost_list_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_cost_list_saved_by FOREIGN KEY(saved_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE cost_line (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            report_id UUID NOT NULL,
            number INTEGER NOT NULL,
            organisation_id UUID NOT NULL,
            category TEXT NOT NULL,
            day DATE NOT NULL,
            invoice TEXT NOT NULL,
            invoice_key TEXT NOT NULL,
            supplier TEXT NOT NULL,
            supplier_key TEXT NOT NULL,
            worker TEXT NOT NULL,
            worker_key TEXT NOT NULL,
            what TEXT NOT NULL,
            currency TEXT NOT NULL,
            cents BIGINT NOT NULL,
            euros BIGINT NOT NULL,
            is_correction BOOLEAN NOT NULL,
            file_name TEXT NOT NULL,
            file_sha256 TEXT,
            fingerprint TEXT NOT NULL,
            CONSTRAINT pk_cost_line PRIMARY KEY (id),
            CONSTRAINT uq_cost_line_report_id_number UNIQUE (report_id, number),
            CONSTRAINT ck_cost_line_number_counts CHECK (number > 0),
            CONSTRAINT ck_cost_line_below_zero_is_correction CHECK (cents <> 0 AND (cents > 0 OR is_correction)),
            CONSTRAINT ck_cost_line_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
            CONSTRAINT ck_cost_line_file_sha256_form CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT fk_cost_line_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_cost_line_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_cost_line_file ON cost_line (file_sha256) WHERE file_sha256 IS NOT NULL")
    op.execute("CREATE INDEX ix_cost_line_invoice ON cost_line (supplier_key, invoice_key) WHERE invoice_key <> ''")
    op.execute("CREATE INDEX ix_cost_line_work ON cost_line (worker_key, day) WHERE worker_key <> ''")
    op.execute(
        """
        CREATE TABLE cost_verdict (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            report_id UUID NOT NULL,
            fingerprint TEXT NOT NULL,
            number INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT NOT NULL,
            decided_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_cost_verdict PRIMARY KEY (id),
            CONSTRAINT uq_cost_verdict_report_id_fingerprint_number UNIQUE (report_id, fingerprint, number),
            CONSTRAINT ck_cost_verdict_verdict_known CHECK (verdict IN ('override', 'cut')),
            CONSTRAINT ck_cost_verdict_has_reason CHECK (reason <> ''),
            CONSTRAINT fk_cost_verdict_report_id FOREIGN KEY(report_id) REFERENCES periodic_report (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_cost_verdict_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER cost_verdict_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cost_verdict "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # Lines move only while the report is in the hands of the city, whoever asks the database.
    op.execute(
        """
        CREATE FUNCTION check_cost_line_in_hand() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          stands text;
        BEGIN
          SELECT state INTO stands FROM periodic_report WHERE id = coalesce(NEW.report_id, OLD.report_id);
          IF stands NOT IN ('draft', 'returned') THEN
            RAISE EXCEPTION 'the costs of a report that is % do not change', stands USING ERRCODE = 'check_violation';
          END IF;
          RETURN coalesce(NEW, OLD);
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER cost_line_in_hand BEFORE INSERT OR UPDATE OR DELETE ON cost_line "
        "FOR EACH ROW EXECUTE FUNCTION check_cost_line_in_hand()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM cost_line) OR EXISTS (SELECT FROM cost_verdict)
            OR EXISTS (SELECT FROM periodic_report WHERE evidence <> 'totals') THEN
            RAISE EXCEPTION 'costs are kept line by line: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE cost_verdict")
    op.execute("DROP TABLE cost_line")
    op.execute("DROP FUNCTION check_cost_line_in_hand")
    op.execute("DROP TABLE cost_list")
    op.execute("ALTER TABLE periodic_report DROP COLUMN evidence")
