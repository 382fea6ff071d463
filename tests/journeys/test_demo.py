"""The demo, seen whole: its books agree, every page every person can reach is one we may show and asks the database little, and
nobody is met by an error.
"""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications.models import Application
from grants.applications.states import Origin
from grants.core import audit, jobs
from grants.core.db import db
from grants.demo import PEOPLE
from grants.evaluation.models import Assignment
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.payments import queries as payments
from grants.web.routing import Access
from tests import actors
from tests.following import endpoint_of, walked_from

# Rows of which every page must be reached by somebody, so that none escapes the limit above; calls, applications and cities
# have a walk of their own.
ROWS = {
    "agreements", "awards", "documents", "evaluation", "identity", "oversight", "payments", "programmes", "rates", "reporting",
}  # fmt: skip
# Who reaches which page of them. Most are reached by many; each stands once.
REACHED = {
    "manager": """
        agreements.accessions agreements.account_waiting agreements.agreement agreements.condition agreements.dismiss agreements.drop agreements.due
        agreements.index agreements.offered agreements.people agreements.last_day agreements.preparation agreements.prepare agreements.redline
        agreements.termination agreements.transfers
        agreements.revised_budget agreements.revised_plan agreements.revised_text agreements.show agreements.signed_uploads agreements.terms agreements.version
        agreements.versions awards.decision awards.publishing
        awards.meeting awards.meetings awards.minutes awards.plan_meeting
        awards.ranking awards.scenario awards.scenarios awards.what_if documents.entries documents.index documents.show evaluation.assignments evaluation.consensus
        evaluation.consensus_list evaluation.missing evaluation.reminders evaluation.seat_file evaluation.adjusting evaluation.matrix
        evaluation.assignment_run evaluation.why identity.doubles identity.validate_fact
        evaluation.invite
        evaluation.import_pool evaluation.pool evaluation.pool_entry evaluation.pool_person evaluation.reopen evaluation.rule oversight.about oversight.accessibility
        oversight.application_history oversight.call_history oversight.city_served
        oversight.call_spending oversight.grant_history oversight.grant_spending oversight.spending_lines oversight.home oversight.order_history
        oversight.organisation oversight.privacy
        payments.closing payments.recipients payments.retention
        payments.ageing payments.amount payments.approvals payments.asked_amount payments.batch payments.batches payments.entry payments.forecast payments.grant
        payments.ledger payments.order payments.circuit payments.limits payments.stand_ins payments.sent_elsewhere
        payments.balances payments.bank payments.fund payments.held_for_partners payments.bank_account payments.bank_import payments.bank_line payments.bank_statement
        rates.convert rates.index rates.interest rates.kind_page
        payments.own_account payments.own_accounts payments.reversal payments.reversals payments.unmatched
        payments.request_page programmes.change_rules programmes.describe programmes.index programmes.new
        programmes.show reporting.index reporting.milestone reporting.show
        """,
    "administrator": """
        identity.add_organisation identity.disable identity.edit_organisation identity.invite identity.mail
        identity.organisations identity.people identity.profile identity.roles identity.sessions
        identity.user identity.users oversight.audit oversight.checkpoint_list oversight.job oversight.jobs_list
        oversight.uploads
        """,
    "elena": """
        evaluation.assessment evaluation.assessments evaluation.conflicts evaluation.finished evaluation.leave
        evaluation.reading_copy evaluation.reading_pack evaluation.sheet_offline
        """,
    "chair": "awards.advice awards.live awards.projector evaluation.scores_by_evaluator",
    "reka": "agreements.account identity.organisation reporting.costs reporting.section",
    "paolo": "agreements.decline",
    "linnea": "awards.result",
    "authoriser": "agreements.hold awards.selection payments.close",
    "officer": "reporting.accept",
    "accountant": "payments.debt payments.debt_amount payments.executions payments.new_batch payments.recovery rates.bring_in",
    "stranger": "identity.reset identity.sign_in oversight.front",
}
# What answers with a file, with words for a machine, or with the way to another page.
NO_PAGES = {
    "agreements.termination_letter",
    "agreements.termination_notice",
    "oversight.call_spending_file", "oversight.grant_spending_file", "oversight.spending_lines_file",
    "payments.ageing_file", "payments.balances_file", "payments.forecast_file", "payments.fund_file", "payments.held_file",
    "payments.interest_waiver", "payments.waiver",
    "agreements.accession_form", "agreements.accession_pdf", "agreements.account_evidence", "agreements.agreement_pdf", "agreements.certified_accession", "agreements.certified_pdf", "agreements.evidence", "agreements.hold_notice", "agreements.list_file", "agreements.offer_pdf", "agreements.signed_document", "agreements.version_pdf", "awards.advice_csv", "awards.complaint_decision", "awards.complaint_file", "awards.complaints_csv", "awards.letter_paper", "awards.letter_pdf", "awards.minutes_pdf", "awards.public_awards_csv", "awards.public_awards_json", "awards.pulse", "awards.ranking_csv", "awards.ranking_workbook", "awards.report_pdf", "awards.selection_minute", "documents.download", "evaluation.answer_link", "evaluation.file", "evaluation.import_template", "evaluation.pool_csv", "evaluation.run_taken", "evaluation.seats_taken",
    "evaluation.sheet_document", "evaluation.sheet_workbook", "evaluation.take_packed_pdf", "evaluation.take_reading_pack", "identity.open_link", "identity.roles_text", "oversight.alive", "oversight.audit_csv", "oversight.audit_key",
    "oversight.checkpoint_note", "oversight.ready", "oversight.tasks", "oversight.which_version",
    "payments.executions_template", "payments.passed_on_file",
    "payments.certificate_file", "payments.guarantee_file", "reporting.package_file",
    "payments.answer_file", "payments.appointment", "payments.approvals_file", "payments.batch_file", "payments.grant_file", "payments.ledger_file", "payments.recipients_file", "payments.statement_file", "payments.statements_file", "payments.unmatched_file", "rates.file", "reporting.lines_file", "reporting.open_evidence",
}  # fmt: skip
# What nobody of the cast meets, or only behind more calls and sheets than are looked at here; counted where it is shown,
# in tests/awards, tests/evaluation, tests/identity and tests/payments.
ELSEWHERE = {
    "awards.complaint", "awards.complaints", "awards.descriptions", "awards.experts", "awards.experts_of_year", "awards.letter",
    "awards.letter_preview", "awards.letter_text", "awards.letters", "awards.names", "awards.own_complaint",
    "awards.public_awards", "evaluation.answer_page", "evaluation.consensus_field_history", "evaluation.consensus_versions", "evaluation.decide_detected",
    "evaluation.declare_in_office", "evaluation.detected", "evaluation.invitation", "evaluation.own_profile",
    "evaluation.sheet_history", "evaluation.shift", "evaluation.terms", "evaluation.withdraw_invitation",
    "evaluation.step_down", "identity.address", "identity.choose_password", "identity.confirm_password",
    "identity.decide_double", "identity.demo_people", "identity.new_address", "identity.password",
    "payments.additional", "payments.distribution", "payments.partner_amount", "payments.passed_on",
    "agreements.amendment", "agreements.amendments", "agreements.edit_amendment", "agreements.new_amendment",
    "agreements.confirm_termination", "agreements.object_to_termination", "agreements.withdraw_termination",
    "payments.certificate", "payments.guarantee", "reporting.judge_packages", "reporting.package", "reporting.packages", "reporting.receipts",
    "payments.late_interest", "payments.lift_legal_hold", "reporting.import_lines", "reporting.judge_line", "reporting.lines",
    "agreements.accession", "agreements.signed_upload", "agreements.upload_accession", "agreements.upload_signed",
    "agreements.lift_hold", "payments.answer", "payments.ask_again", "payments.kept_forecast", "payments.sent_elsewhere_file", "rates.table",
}  # fmt: skip


def test_the_books_of_the_demo_agree(demo_app: Flask) -> None:
    assert ledger.verify() == ()
    assert payments.verify() == ()
    assert audit.verify().problem is None


def test_every_job_of_the_demo_was_done(demo_app: Flask) -> None:
    assert {state.value for state, count in jobs.counts().items() if count} == {"done"}


def test_what_was_published_elsewhere_has_no_score(demo_app: Flask) -> None:
    real = db.session.scalars(select(Application.id).where(Application.origin == Origin.PUBLISHED_OUTCOME.value)).all()

    assert len(real) == 103
    assert db.session.scalars(select(Assignment.id).where(Assignment.application_id.in_(real))).all() == []


def people() -> list[str]:
    return ["administrator", *(person.key for person in PEOPLE)]


def address(key: str) -> str:
    return "signe.holm@demo.example" if key == "administrator" else f"{key.replace('_', '.')}@demo.example"


@pytest.mark.parametrize("key", people())
def test_every_page_a_person_reaches_is_one_we_may_show(demo_app: Flask, key: str) -> None:
    found = identity.person_by_email(address(key))
    assert found is not None
    client = demo_app.test_client()
    actors.sign_in(client, found.id)

    # Public pages say nearly the same to everybody: one person of all reads them, and the stranger below.
    walked, wrong = walked_from(
        client, "/home", leave_out=(lambda path: is_public(demo_app, path)) if key != "manager" else None
    )

    assert wrong == []
    assert len(walked) > 5
    assert set(REACHED.get(key, "").split()) <= {endpoint_of(demo_app, path) for path in walked}


def test_every_page_of_the_other_rows_is_reached_by_somebody(app: Flask) -> None:
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in ROWS
    }

    assert pages - NO_PAGES - ELSEWHERE == {endpoint for reached in REACHED.values() for endpoint in reached.split()}


def test_every_page_a_stranger_reaches_is_one_we_may_show(demo_app: Flask) -> None:
    walked, wrong = walked_from(demo_app.test_client(), "/")

    assert wrong == []
    assert len(walked) > 5
    assert set(REACHED["stranger"].split()) <= {endpoint_of(demo_app, path) for path in walked}


def is_public(app: Flask, path: str) -> bool:
    """Whether anybody may open the page at that address; one nobody serves is not public."""
    endpoint = endpoint_of(app, path)
    return endpoint is not None and bool(getattr(app.view_functions[endpoint], "access", Access()).anyone)
