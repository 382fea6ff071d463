"""One partner’s part in a grant ends by a termination; whoever left may come back and accedes anew."""

from __future__ import annotations

from alembic import op

revision = "0130"
down_revision = "0129"
branch_labels = None
depends_on = None

_ROLES = (
    "'administrator', 'programme_manager', 'eligibility_officer', 'project_officer', 'evaluator', 'assigned_evaluator',"
    " 'panel_chair', 'panel_member', 'finance_initiator', 'finance_verifier', 'authorising_officer', 'accounting_officer',"
    " 'auditor', 'applicant', 'application_lead', 'application_editor', 'application_partner', 'application_signatory',"
    " 'application_reader',{} 'signatory', 'programme_signatory', 'city_advisor'"
)
_REASONS = (
    "'requested', 'force_majeure', 'not_carried_out', 'breach', 'irregularity', 'insolvency',{} 'change', 'other'"
)
_ONCE = "acceded_at,acceded_version,ended_at,ended_by,end_reason,{}told_late_at"
_STANDS = "state IN ('proposed', 'objected', 'confirmed')"


def _known(table: str, column: str, words: str) -> None:
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}_known, "
        f"ADD CONSTRAINT ck_{table}_{column}_known CHECK ({column} IN ({words}))"
    )


def _written_once(more: str) -> None:
    op.execute("DROP TRIGGER accession_written_once ON accession")
    op.execute(
        "CREATE TRIGGER accession_written_once BEFORE UPDATE OR DELETE ON accession FOR EACH ROW EXECUTE FUNCTION "
        f"refuse_rewriting('{_ONCE.format(more)}', '')"
    )


def upgrade() -> None:
    _known("role_grant", "role", _ROLES.format(" 'past_partner',"))
    _known("agreement_termination", "reason", _REASONS.format(" 'not_acceded',"))
    op.execute(
        """
        ALTER TABLE agreement_termination
            ADD COLUMN organisation_id UUID,
            ADD CONSTRAINT fk_agreement_termination_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT ck_agreement_termination_not_acceded_of_a_partner CHECK (reason <> 'not_acceded' OR organisation_id IS NOT NULL)
        """
    )
    op.execute("DROP INDEX uq_agreement_termination_standing")
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_termination_standing ON agreement_termination (grant_id) "
        f"WHERE {_STANDS} AND organisation_id IS NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_termination_standing_part ON agreement_termination (grant_id, organisation_id) "
        f"WHERE {_STANDS} AND organisation_id IS NOT NULL AND carried_out_at IS NULL"
    )
    op.execute(
        """
        ALTER TABLE beneficiary
            ADD COLUMN left_on DATE,
            ADD CONSTRAINT ck_beneficiary_coordinator_stays CHECK (left_on IS NULL OR NOT is_coordinator)
        """
    )
    op.execute(
        """
        UPDATE beneficiary SET left_on = (amendment.change ->> 'leaves_on')::date
        FROM amendment
        WHERE amendment.grant_id = beneficiary.grant_id AND amendment.kind = 'partner_out' AND amendment.state = 'in_force'
          AND (amendment.change ->> 'organisation_id')::uuid = beneficiary.organisation_id
        """
    )
    op.execute(
        """
        ALTER TABLE accession
            ADD COLUMN left_at TIMESTAMP WITH TIME ZONE,
            DROP CONSTRAINT uq_accession_grant_id_organisation_id,
            ADD CONSTRAINT ck_accession_left_after_acceding CHECK (left_at IS NULL OR acceded_at IS NOT NULL)
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_accession_standing ON accession (grant_id, organisation_id) "
        "WHERE ended_at IS NULL AND left_at IS NULL"
    )
    _written_once("left_at,")
    op.execute(
        """
        UPDATE accession SET left_at = amendment.in_force_at
        FROM amendment
        WHERE amendment.grant_id = accession.grant_id AND amendment.kind = 'partner_out' AND amendment.state = 'in_force'
          AND (amendment.change ->> 'organisation_id')::uuid = accession.organisation_id AND accession.acceded_at IS NOT NULL
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM agreement_termination WHERE organisation_id IS NOT NULL) THEN
            RAISE EXCEPTION 'terminations of partners were proposed: that would be lost';
          END IF;
          IF EXISTS (SELECT FROM accession GROUP BY grant_id, organisation_id HAVING count(*) > 1) THEN
            RAISE EXCEPTION 'partners acceded anew: that would be lost';
          END IF;
          IF EXISTS (SELECT FROM role_grant WHERE role = 'past_partner') THEN
            RAISE EXCEPTION 'people of partners that left only read: that would be lost';
          END IF;
        END $$
        """
    )
    _written_once("")
    op.execute("DROP INDEX uq_accession_standing")
    op.execute(
        """
        ALTER TABLE accession
            DROP CONSTRAINT ck_accession_left_after_acceding,
            DROP COLUMN left_at,
            ADD CONSTRAINT uq_accession_grant_id_organisation_id UNIQUE (grant_id, organisation_id)
        """
    )
    op.execute("ALTER TABLE beneficiary DROP CONSTRAINT ck_beneficiary_coordinator_stays, DROP COLUMN left_on")
    op.execute("DROP INDEX uq_agreement_termination_standing_part")
    op.execute("DROP INDEX uq_agreement_termination_standing")
    op.execute(
        f"CREATE UNIQUE INDEX uq_agreement_termination_standing ON agreement_termination (grant_id) WHERE {_STANDS}"
    )
    op.execute(
        "ALTER TABLE agreement_termination DROP CONSTRAINT ck_agreement_termination_not_acceded_of_a_partner, "
        "DROP COLUMN organisation_id"
    )
    _known("agreement_termination", "reason", _REASONS.format(""))
    _known("role_grant", "role", _ROLES.format(""))
