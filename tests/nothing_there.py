"""Addresses the walks of ``tests/no_route.py`` find nothing behind, each with why; a test holds that they are exactly these.

Addresses that ask for a permission which nobody who judges or decides can have are found by the table of permissions.
"""

from __future__ import annotations

# Pages that are walked, and to which nothing of the walked application leads in the world of tests/awards/test_no_route.py,
# each with why. What another walk opens is proved there.
OPENED_BY_A_DECISION = "there is a list, a letter or a grant only once it is decided: tests/awards/test_letters.py"
OF_ITS_TEAM = "read by its team alone, whose roles of the application nobody has who judges or decides: tests/applications/test_team_alone.py, tests/awards/test_letters.py"
OPENED_BY_MONEY = "money moves only once the agreement is signed: tests/oversight/test_conflicted.py"
# A step that the worlds of the walks do not go: each with the test that goes it and finds it shut to somebody in conflict.
SHOWN_BY_A_TEST = "a step that the worlds of the walks do not go; SHOWN_BY names the test of each"
# That test is marked with what it shuts (tests/shut.py), and what it asks for is heard while it runs.
_LETTERS = "tests/applications/test_letters.py::test_a_conflict_shuts_letters_receipts_and_files"
_COMPLAINT = (
    "tests/awards/test_complaints.py::test_the_applicant_writes_sends_and_reads_and_the_office_decides_by_pages"
)
_PAPER = "tests/agreements/test_views.py::test_a_conflict_shuts_the_agreement_on_paper_and_who_signs_it"
_OFFERS = (
    "tests/agreements/test_offers.py::test_an_offer_is_read_on_paper_before_it_is_signed_and_shut_to_who_is_in_conflict"
)
_AMENDED = "tests/agreements/test_amendment_pages.py::test_its_pages_are_shut_to_who_is_in_conflict"
_PARTS = "tests/payments/test_amounts_of.py::test_no_figure_opens_to_who_does_not_reach_its_grant"
_DEBT = "tests/payments/test_recoveries.py::test_a_debt_is_shut_to_who_does_not_reach_its_grant"
_HELD = "tests/payments/test_held.py::test_its_pages_tell_both_sides_and_are_shut_to_who_is_in_conflict"
_ACCEDING = "tests/awards/test_acceding.py::test_the_pages_take_a_partner_from_its_power_to_its_signature"
_UPLOADED = "tests/awards/test_uploading.py::test_the_pages_take_a_document_from_its_upload_to_its_acceptance"
_CERTIFIED = "tests/awards/test_uploading.py::test_with_one_the_paper_is_signed_as_a_new_file_beside_it_once"
_MOVED = "tests/payments/test_transfers.py::test_its_page_shows_the_bar_and_both_sides_read_it"
_TERMINATED = "tests/payments/test_terminated.py::test_its_pages_tell_both_sides_and_are_shut_to_who_is_in_conflict"
_PART_TERMINATED = "tests/payments/test_part_terminated.py::test_its_pages_offer_the_partners_and_hand_out_the_letter"
_ANSWERS = (
    "tests/agreements/test_answering.py::"
    "test_a_partner_reads_and_answers_its_own_and_the_common_conditions_and_strangers_nothing"
)
_REVISION = (
    "tests/awards/test_revising.py::test_whoever_takes_no_part_finds_nothing_and_whoever_only_reads_is_given_no_form"
)
_FORMS = "tests/awards/test_signed_accessions.py::test_the_pages_take_a_form_from_its_download_to_the_accession"
_MINUTES = "tests/awards/test_minutes.py::test_the_copy_of_a_conflicted_member_leaves_the_item_out_on_page_and_paper"
_LIST_FILE = (
    "tests/applications/test_list_files.py::"
    "test_a_conflict_declared_before_it_is_made_keeps_the_row_out_and_one_after_it_the_whole_file"
)
_STATEMENT = (
    "tests/oversight/test_conflicted.py::test_a_statement_over_a_barred_pilot_is_not_there_as_page_file_list_or_choice"
)
_REPORT = "tests/reporting/test_views.py::test_the_form_of_acceptance_opens_only_while_the_report_is_with_the_programme"
_LINES = "tests/reporting/test_lines.py::test_the_lines_of_a_report_are_shut_to_who_is_in_conflict"
_KEPT = "tests/payments/test_keeping.py::test_the_checklist_and_the_holds_of_a_grant_are_shut_to_who_is_in_conflict"
SHOWN_BY = {
    "agreements.accession": _ACCEDING,
    "agreements.accession_form": _FORMS,
    "agreements.accession_pdf": _FORMS,
    "agreements.accessions": _ACCEDING,
    "agreements.account_evidence": (
        "tests/payments/test_accounts.py::test_the_document_is_opened_on_the_record_and_by_nobody_else"
    ),
    "agreements.agreement_pdf": _PAPER,
    "agreements.amendment": _AMENDED,
    "agreements.amendments": _AMENDED,
    "agreements.certified_accession": _FORMS,
    "agreements.certified_pdf": _CERTIFIED,
    "agreements.condition": _ANSWERS,
    "agreements.dismiss": _PAPER,
    "agreements.due": _ANSWERS,
    "agreements.edit_amendment": _AMENDED,
    "agreements.evidence": _ANSWERS,
    "agreements.confirm_termination": _TERMINATED,
    "agreements.hold": _HELD,
    "agreements.hold_notice": _HELD,
    "agreements.last_day": _ANSWERS,
    "agreements.lift_hold": _HELD,
    "agreements.new_amendment": _AMENDED,
    "agreements.object_to_termination": _TERMINATED,
    "agreements.offer_pdf": _OFFERS,
    "agreements.offered": _OFFERS,
    "agreements.signed_document": _UPLOADED,
    "agreements.signed_upload": _UPLOADED,
    "agreements.signed_uploads": _UPLOADED,
    "agreements.upload_accession": _FORMS,
    "agreements.upload_signed": _UPLOADED,
    "agreements.termination": _TERMINATED,
    "agreements.transfers": _MOVED,
    "agreements.termination_letter": _PART_TERMINATED,
    "agreements.termination_notice": _TERMINATED,
    "agreements.withdraw_termination": _TERMINATED,
    "agreements.version": _OFFERS,
    "agreements.version_pdf": _OFFERS,
    "agreements.versions": _OFFERS,
    "agreements.redline": _REVISION,
    "agreements.revised_budget": _REVISION,
    "agreements.revised_plan": _REVISION,
    "agreements.revised_text": _REVISION,
    "applications.download": _LETTERS,
    "applications.download_list_file": _LIST_FILE,
    "applications.letter": _LETTERS,
    "applications.letter_draft_pdf": _LETTERS,
    "applications.letter_pdf": _LETTERS,
    "applications.receipt_pdf": _LETTERS,
    "applications.show_list_file": _LIST_FILE,
    "awards.complaint": _COMPLAINT,
    "awards.complaint_decision": _COMPLAINT,
    "awards.complaint_file": _COMPLAINT,
    "awards.letter_paper": "tests/awards/test_letters.py::test_the_team_reads_letter_before_and_report_after_publication_only",
    "awards.minutes_pdf": _MINUTES,
    "awards.selection_minute": "tests/awards/test_minute.py::test_the_minute_is_for_who_sees_the_list_whole",
    "documents.entries": _STATEMENT,
    "evaluation.file": "tests/applications/test_services.py::test_who_opens_a_confidential_file_is_on_record",
    "evaluation.take_packed_pdf": "tests/evaluation/test_packs.py::test_one_application_is_made_as_a_pdf_by_a_job_once_for_all_and_shut_by_a_conflict",
    "evaluation.take_reading_pack": "tests/evaluation/test_packs.py::test_the_pack_holds_what_is_open_and_is_shut_by_a_conflict",
    "payments.additional": "tests/payments/test_additional.py::test_the_page_asks_explains_and_is_read_by_both_sides",
    "payments.debt": _DEBT,
    "payments.debt_amount": _PARTS,
    "payments.interest_waiver": (
        "tests/payments/test_interest.py::test_the_page_shows_every_number_leads_on_and_its_waiver_is_shut"
    ),
    "payments.late_interest": (
        "tests/payments/test_late_interest.py::test_its_page_shows_every_number_and_the_city_reads_it"
    ),
    "payments.waiver": _DEBT,
    "payments.asked_amount": _PARTS,
    "payments.closing": _KEPT,
    "payments.lift_legal_hold": _KEPT,
    "payments.answer_file": "tests/payments/test_clock.py::test_the_pages_stop_answer_and_let_go_on",
    "payments.certificate": "tests/payments/test_securing.py::test_the_balance_waits_until_the_certificate_is_brought_and_accepted",
    "payments.certificate_file": "tests/payments/test_securing.py::test_the_balance_waits_until_the_certificate_is_brought_and_accepted",
    "payments.guarantee": "tests/payments/test_securing.py::test_pre_financing_waits_for_the_guarantee_which_holds_while_it_is_open",
    "payments.guarantee_file": "tests/payments/test_securing.py::test_pre_financing_waits_for_the_guarantee_which_holds_while_it_is_open",
    "payments.partner_amount": _PARTS,
    "payments.passed_on": "tests/payments/test_distribution.py::test_the_pages_report_and_confirm_with_the_proof",
    "payments.passed_on_file": "tests/payments/test_distribution.py::test_the_pages_report_and_confirm_with_the_proof",
    "reporting.accept": _REPORT,
    "reporting.judge_line": _LINES,
    "reporting.lines": _LINES,
    "reporting.lines_file": _LINES,
    "reporting.open_evidence": _LINES,
    "reporting.judge_packages": "tests/reporting/test_packages.py::test_packages_are_declared_with_evidence_judged_and_paid_for",
    "reporting.package_file": "tests/reporting/test_packages.py::test_packages_are_declared_with_evidence_judged_and_paid_for",
    "reporting.packages": "tests/reporting/test_packages.py::test_packages_are_declared_with_evidence_judged_and_paid_for",
    "reporting.show": _REPORT,
    "evaluation.shift": "tests/awards/test_utter.py::test_only_the_panel_without_conflict_moves_scores",
}
NOTHING_THERE = {
    OPENED_BY_A_DECISION: frozenset(
        {
            "agreements.account", "agreements.agreement", "agreements.drop", "agreements.people",
            "agreements.preparation", "agreements.show", "agreements.terms", "awards.letter_preview",
            "awards.selection", "oversight.grant_history", "oversight.grant_spending", "oversight.grant_spending_file", "oversight.spending_lines", "oversight.spending_lines_file", "payments.amount", "payments.close", "payments.distribution", "payments.grant", "payments.grant_file", "payments.recovery",
            "reporting.index", "reporting.milestone",
        }
    ),
    OPENED_BY_MONEY: frozenset(
        {
            "documents.download", "documents.show", "oversight.order_history", "payments.batch", "payments.batch_file",
            "payments.entry", "payments.order", "payments.request_page", "payments.reversal",
        }
    ),
    OF_ITS_TEAM: frozenset(
        {
            "applications.attached", "applications.budget", "applications.budget_findings", "applications.changes",
            "applications.check", "applications.file_versions", "applications.history", "applications.own_budget",
            "applications.own_form", "applications.own_sheet", "applications.plan", "applications.section",
            "applications.serving", "applications.sheet", "applications.sign_off", "applications.team",
            "awards.letter", "awards.letter_pdf", "awards.own_complaint", "awards.report_pdf", "awards.result",
        }
    ),
    "opens to whoever asked for it themselves, and this person asked for nothing": frozenset(
        {
            "applications.change_saved", "applications.saved_list", "applications.ticket", "evaluation.invitation",
            "evaluation.withdraw_invitation", "identity.new_address",
        }
    ),
    "of a call or a register, and no application leads there": frozenset(
        {
            "applications.stage_invitations", "applications.trial_budget", "applications.trial_files",
            "applications.trial_section", "calls.answer_draft", "calls.asked_question", "calls.call_session",
            "cities.change_action", "programmes.change_rules", "programmes.describe", "programmes.show",
            "payments.appointment", "payments.bank_account", "payments.bank_import", "payments.bank_line", "payments.bank_statement",
            "payments.fund", "payments.fund_file", "payments.kept_forecast", "payments.own_account", "payments.sent_elsewhere_file", "payments.statement_file",
            "payments.statements_file", "rates.file", "rates.table",
        }
    ),
    SHOWN_BY_A_TEST: frozenset(SHOWN_BY),
}  # fmt: skip
