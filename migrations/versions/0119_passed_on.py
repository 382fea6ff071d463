"""What coordinators pass on to their partners: reported, confirmed by another side, or waived for the closure of a grant."""

from __future__ import annotations

from alembic import op

revision = "0119"
down_revision = "0118"
branch_labels = None
depends_on = None

ONCE = "decided_by,decided_at,decided_for,decide_reason"


def upgrade() -> None:
    # Agreements of before name no number of days and nobody but the partner: nothing of them is ever overdue.
    op.execute(
        """
        ALTER TABLE grant_agreement
            ADD COLUMN passing_on_days INTEGER,
            ADD COLUMN passed_on_by TEXT NOT NULL DEFAULT 'partner',
            ADD CONSTRAINT ck_grant_agreement_passing_on_in_range CHECK (passing_on_days BETWEEN 1 AND 365),
            ADD CONSTRAINT ck_grant_agreement_passed_on_by_known CHECK (passed_on_by IN ('partner', 'officer'))
        """
    )
    op.execute("ALTER TABLE grant_agreement ALTER COLUMN passed_on_by DROP DEFAULT")
    op.execute(
        """
        CREATE TABLE distribution (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            number INTEGER NOT NULL,
            reference TEXT NOT NULL,
            amount BIGINT NOT NULL,
            paid_on DATE NOT NULL,
            transfer TEXT NOT NULL,
            state TEXT NOT NULL,
            reported_by UUID NOT NULL,
            reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
            decided_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_for TEXT,
            decide_reason TEXT,
            CONSTRAINT pk_distribution PRIMARY KEY (id),
            CONSTRAINT uq_distribution_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT uq_distribution_reference UNIQUE (reference),
            CONSTRAINT ck_distribution_state_known CHECK (state IN ('reported', 'confirmed', 'refused', 'withdrawn')),
            CONSTRAINT ck_distribution_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_distribution_has_transfer CHECK (transfer <> ''),
            CONSTRAINT ck_distribution_decided_for_known CHECK (decided_for IN ('partner', 'programme')),
            CONSTRAINT ck_distribution_decided_has_time CHECK ((state = 'reported') = (decided_at IS NULL)),
            CONSTRAINT ck_distribution_decision_whole CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
            CONSTRAINT ck_distribution_decided_for_a_side CHECK ((state IN ('confirmed', 'refused')) = (decided_for IS NOT NULL)),
            CONSTRAINT ck_distribution_refused_has_reason CHECK ((state = 'refused') = (decide_reason IS NOT NULL)),
            CONSTRAINT ck_distribution_decided_by_another CHECK (state = 'withdrawn' OR decided_by <> reported_by),
            CONSTRAINT fk_distribution_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_distribution_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_distribution_reported_by FOREIGN KEY(reported_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_distribution_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_distribution_organisation_id ON distribution (organisation_id)")
    op.execute("CREATE INDEX ix_distribution_reported ON distribution (grant_id) WHERE state = 'reported'")
    op.execute(
        f"""
        CREATE TRIGGER distribution_written_once BEFORE UPDATE OR DELETE ON distribution FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{ONCE}', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER distribution_never_emptied BEFORE TRUNCATE ON distribution FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TABLE distribution_waiver (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            number INTEGER NOT NULL,
            amount BIGINT NOT NULL,
            reason TEXT NOT NULL,
            waived_by UUID NOT NULL,
            waived_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_distribution_waiver PRIMARY KEY (id),
            CONSTRAINT uq_distribution_waiver_grant_id_organisation_id_number UNIQUE (grant_id, organisation_id, number),
            CONSTRAINT ck_distribution_waiver_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_distribution_waiver_has_reason CHECK (reason <> ''),
            CONSTRAINT fk_distribution_waiver_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_distribution_waiver_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_distribution_waiver_waived_by FOREIGN KEY(waived_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_distribution_waiver_organisation_id ON distribution_waiver (organisation_id)")
    op.execute(
        "CREATE TRIGGER distribution_waiver_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON distribution_waiver "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    # What was passed on, and what an agreement says of it, is known nowhere else.
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM distribution) OR EXISTS (SELECT FROM distribution_waiver)
            OR EXISTS (SELECT FROM grant_agreement WHERE passing_on_days IS NOT NULL OR passed_on_by <> 'partner') THEN
            RAISE EXCEPTION 'what coordinators passed on to their partners would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE distribution_waiver, distribution")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN passing_on_days, DROP COLUMN passed_on_by")
