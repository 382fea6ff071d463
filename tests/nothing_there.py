"""Addresses the walks of ``tests/no_route.py`` find nothing behind, each with why; a test holds that they are exactly these."""

from __future__ import annotations

# Pages that are walked, and to which nothing of the walked application leads in the world of tests/awards/test_no_route.py,
# each with why. What another walk opens is proved there.
OPENED_BY_A_DECISION = "there is a list, a letter or a grant only once it is decided: tests/awards/test_letters.py"
OPENED_BY_MONEY = "money moves only once the agreement is signed: tests/oversight/test_conflicted.py"
NOTHING_THERE = {
    OPENED_BY_A_DECISION: frozenset(
        {
            "agreements.account", "agreements.agreement", "agreements.drop", "agreements.people",
            "agreements.preparation", "agreements.show", "agreements.terms", "awards.letter_preview",
            "awards.selection", "oversight.grant_history", "payments.close", "payments.grant", "payments.recovery",
            "reporting.index", "reporting.milestone",
        }
    ),
    OPENED_BY_MONEY: frozenset(
        {
            "documents.show", "oversight.order_history", "payments.entry", "payments.order",
            "payments.request_page",
        }
    ),
    "read by its team alone, whose roles nobody has who judges or decides": frozenset(
        {
            "agreements.decline", "applications.attached", "applications.budget", "applications.budget_findings",
            "applications.changes", "applications.check", "applications.comments", "applications.details",
            "applications.full_proposal", "applications.history", "applications.new", "applications.own_budget",
            "applications.own_form", "applications.own_sheet", "applications.plan", "applications.section",
            "applications.serving", "applications.sheet", "applications.sign_off", "applications.submit",
            "applications.takeover", "applications.team", "applications.withdraw", "applications.write_offline",
            "awards.letter", "awards.letter_pdf", "awards.own_complaint", "awards.report_pdf", "awards.result",
            "payments.ask_again", "reporting.costs", "reporting.section",
        }
    ),
    "opens to whoever asked for it themselves, and this person asked for nothing": frozenset(
        {
            "applications.change_saved", "applications.download_list_file", "applications.saved_list",
            "applications.show_list_file", "applications.ticket", "evaluation.invitation",
            "evaluation.take_reading_pack", "evaluation.withdraw_invitation", "identity.new_address",
        }
    ),
    "of a call or a register, and no application leads there": frozenset(
        {
            "applications.stage_invitations", "applications.trial_budget", "applications.trial_files",
            "applications.trial_section", "calls.answer_draft", "calls.asked_question", "calls.call_session",
            "cities.change_action", "programmes.change_rules", "programmes.describe", "programmes.show",
        }
    ),
    "a step that the worlds of the walks do not go, with tests of conflicts where it is gone": frozenset(
        {
            "agreements.agreement_pdf", "agreements.dismiss", "applications.download", "applications.file_versions",
            "applications.letter", "applications.letter_draft_pdf", "applications.letter_pdf",
            "applications.receipt_pdf", "awards.advice_csv", "awards.complaint", "awards.complaint_decision",
            "awards.complaint_file", "awards.minutes_pdf", "awards.selection_minute", "documents.download", "documents.entries",
            "evaluation.file", "evaluation.shift", "payments.batch", "payments.batch_file", "reporting.accept", "reporting.show",
        }
    ),
}  # fmt: skip
