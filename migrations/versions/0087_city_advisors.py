"""Advisors of cities and the conflicts that come of advice; what a sheet said before it was opened again and changed."""

from __future__ import annotations

from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

_ROLES = (
    "'administrator', 'programme_manager', 'eligibility_officer', 'project_officer', 'evaluator', 'assigned_evaluator',"
    " 'panel_chair', 'panel_member', 'finance_initiator', 'finance_verifier', 'authorising_officer', 'accounting_officer',"
    " 'auditor', 'applicant', 'application_lead', 'application_editor', 'application_partner', 'application_signatory',"
    " 'application_reader', 'signatory', 'programme_signatory'"
)
_FOUND = (
    "'own_application', 'same_person', 'competing_bid', 'own_organisation',{} 'same_number', 'same_city', 'same_country',"
    " 'mail_domain', 'past_consortium', 'similar_person', 'similar_organisation'"
)
_DECLARED = "'family', 'friendship', 'employment', 'economic', 'shared_work', 'political', 'rival',{} 'other'"

_FACTS = "'legal_name', 'pic', 'vat', 'registration',{} 'legal_form', 'public_body', 'registered_address', 'contact_address', 'website'"


def _known(table: str, column: str, words: str) -> None:
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}_known, "
        f"ADD CONSTRAINT ck_{table}_{column}_known CHECK ({column} IN ({words}))"
    )


def upgrade() -> None:
    _known("organisation_fact", "kind", _FACTS.format(" 'ror',"))
    op.execute("ALTER TABLE assessment ADD COLUMN marks_before JSONB")
    _known("role_grant", "role", f"{_ROLES}, 'city_advisor'")
    _known("detected_conflict", "kind", _FOUND.format(" 'advised_city', 'helped_to_write',"))
    _known("entity_declaration", "kind", _DECLARED.format(" 'advice',"))


def downgrade() -> None:
    # The older program would let advisors near the applications of their cities.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM role_grant WHERE role = 'city_advisor' AND (ends_before IS NULL OR ends_before > now()))
               OR EXISTS (SELECT FROM detected_conflict WHERE kind IN ('advised_city', 'helped_to_write') AND state <> 'gone')
               OR EXISTS (SELECT FROM organisation_fact WHERE kind = 'ror')
               OR EXISTS (SELECT FROM entity_declaration WHERE kind = 'advice') THEN
                RAISE EXCEPTION 'conflicts by advice or by a ROR iD are not known to the older program: it would show people applications they must not see';
            END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE assessment DROP COLUMN marks_before")
    op.execute("DELETE FROM detected_conflict WHERE kind IN ('advised_city', 'helped_to_write')")
    op.execute("DELETE FROM role_grant WHERE role = 'city_advisor'")
    _known("organisation_fact", "kind", _FACTS.format(""))
    _known("entity_declaration", "kind", _DECLARED.format(""))
    _known("detected_conflict", "kind", _FOUND.format(""))
    _known("role_grant", "role", _ROLES)
