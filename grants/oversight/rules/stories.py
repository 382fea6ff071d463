"""Which acts tell the history of what: a grant, an application, a call, an order, the people."""

from __future__ import annotations

from grants.applications.rules import CHANGES_TOLD

# The acts on people, roles and the system, which is all an administrator reads of the record: no money, no applications.
SYSTEM_THINGS = frozenset(
    {"checkpoint", "checkpoint_key", "city", "demo", "fund_source", "job", "mail", "organisation", "password", "profile", "programme", "role", "session", "user"}
)  # fmt: skip

# What everybody who may open the thing may know happened to it; the whole record is the auditor's.
GRANT_STORY = frozenset(
    {
        *(
            "agreement.appoint",
            "agreement.decline",
            "agreement.dismiss",
            "agreement.drop",
            "agreement.hold",
            "agreement.lapse",
            "agreement.lift_hold",
            "agreement.offer",
            "agreement.prepare",
            "agreement.set_terms",
        ),
        *("agreement.sign_city", "agreement.sign_programme", "agreement.take_back", "grant.close"),
        *("amendment.accept", "amendment.consent", "amendment.consent_city", "amendment.decline"),
        "amendment.fall_silent",
        *("amendment.refuse", "amendment.send", "amendment.sign_city", "amendment.sign_programme"),
        *("amendment.take_back", "amendment.withdraw"),
        *(
            "agreement.accept_signed",
            "agreement.refuse_signed",
            "agreement.upload_signed",
            "agreement.upload_signed_city",
            "agreement.withdraw_signed",
        ),
        *("agreement.accede", "agreement.end_accession", "agreement.tell_late_accession"),
        *("accession.accept_power", "accession.record_power", "accession.return_power", "accession.state_power"),
        *("accession.record_signed", "accession.upload_signed"),
        *("bank_account.confirm", "bank_account.enter", "bank_account.refuse", "budget.transfer"),
        *("preparation.accept_revision", "preparation.need_no_revision", "preparation.return_revision"),
        "preparation.send_revision",
        *("milestone.accept", "milestone.expect", "milestone.report", "milestone.return", "milestone.set_expected"),
        *("report.accept", "report.open", "report.reject", "report.return", "report.submit"),
        *("report.end_grant", "report.settle_unsent", "termination.confirm", "termination.object"),
        *("termination.end_part", "termination.propose", "termination.withdraw"),
        "payment_request.ask_additional",
        *("payment_request.decide", "payment_request.open_for_report", "payment_request.open_prefinancing"),
        *("payment_request.reject", "payment_request.submit", "payment_order.execute"),
        *("bank_line.book", "bank_line.confirm", "bank_report.apply"),
        *("payment_file.bank_reject", "payment_order.bank_reject", "payment_order.reissue"),
        *("payment_request.complete", "payment_request.return"),
        *("payment_request.answer_suspension", "payment_request.lift", "payment_request.suspend"),
        *("recovery.book", "recovery.cancel", "recovery.confirm", "recovery.inform", "recovery.issue"),
        *("recovery.observe", "recovery.propose", "recovery.set_off", "recovery.waive"),
        *("recovery.confirm_interest", "recovery.waive_interest"),
        *("payment_request.cancel", "payment_request.confirm_interest"),
    }
)

# What the desk does until a verdict stands; the team is told the verdict and not the way to it.
DESK_STORY = frozenset(
    {
        *("application.confirm_refusal", "application.declare", "application.pass_by_facts"),
        *("application.share_clarification", "application.write_letter"),
        "application.return_refusal",
    }
)

APPLICATION_STORY = DESK_STORY | {
    *("application.submit", "application.withdraw", "application.ask_clarification", "application.send_letter"),
    *("application.answer_clarification", "application.extend_clarification", "application.withdraw_clarification"),
}

# Told to the team with what was ruled, see declared_words and outcome_words.
VERDICTS = frozenset({"application.send_letter"})

# The work on a draft, which only its own people see.
# Whatever the panel of last changes tells is told here too, and stands only there (applications/rules/last_changes.py).
TEAM_STORY = (
    (APPLICATION_STORY - DESK_STORY)
    | frozenset(CHANGES_TOLD)
    | {
        *("application.confirm_partner", "application.refuse_partner", "application.accept_notice"),
        *("application.save_answer", "application.save_section", "application.start", "application.start_invited"),
        *("application.ask_to_write", "application.comment", "application.reply"),
        *("application.resolve_comment", "application.reopen_comment", "application.ask_sign_offs"),
        *(
            "application.ask_takeover",
            "application.confirm_takeover",
            "application.refuse_takeover",
            "application.take_over",
        ),
        *("application.attach_to_clarification", "application.draft_clarification"),
        "application.remove_from_clarification",
        *("ticket.open", "ticket.write", "ticket.answer", "ticket.ask_back", "ticket.close", "ticket.reopen"),
        *("application.move_to_version", "application.read_changes", "application.clear_dropped"),
        "application.extend_deadline",
    }
)

# The letter of decision and that its team has it: told in the history of an application, to its team and to staff. The
# home page tells the outcome itself, once.
LETTER_STORY = frozenset({"letter.send", "letter.told_otherwise", "letter.acknowledge"})

# A complaint in the history of its application: its team reads what was sent and decided, never by whom of the programme.
COMPLAINT_STORY = frozenset(
    f"complaint.{verb}" for verb in ("send", "withdraw", "admit", "turn_away", "extend", "decide", "settle")
)
# Whoever may read complaints reads who reviews it, too.
COMPLAINT_STAFF_STORY = COMPLAINT_STORY | {"complaint.name_committee"}
# What one of the team did; everything else of a complaint is the programme’s.
COMPLAINT_OF_TEAM = frozenset({"complaint.send", "complaint.withdraw"})

# That an award is withheld from publication, confirmed, and named again: for whoever decides that, and is in no conflict with it.
# So is what is written to be published about it.
WITHHELD_STORY = frozenset(
    {"award.withhold", "award.confirm_withheld", "award.name_again", "award.describe", "award.confirm_description"}
)

# Lines that name the outcome a team was told.
OUTCOME_TOLD = frozenset({"letter.send", "letter.told_otherwise"})

CALL_STORY = frozenset(
    {
        *("call.add_document_version", "call.apply_template", "call.authorise_budget", "call.cancel"),
        *("call.extend_deadline", "call.import", "call.publish", "call.copy", "call.set_value", "call.set_dates"),
        *("call.publish_corrigendum", "call.correct_wording", "call.discard_copy", "call.replace_copy"),
        *("selection.confirm", "selection.decide", "selection.publish_results", "selection.return"),
        *("selection_move.decide", "selection_move.confirm", "selection_move.return"),
        "selection.save_scenario",
        *("selection.record_published_outcome", "call.pass_by_facts", "call.send_letters", "stage.invite"),
        *("question.set_aside", "ticket.answer_for_everybody"),
        *("question.publish", "question.correct", "call.add_session", "call.edit_session", "call.cancel_session"),
        *("call.add_slides", "call.add_privacy_notice", "call.add_expert_terms"),
    }
)

ORDER_STORY = frozenset(
    {
        *(f"payment_order.{verb}" for verb in ("authorise", "cancel", "change", "execute", "prepare", "verify")),
        *("payment_file.build", "payment_file.discard", "payment_file.send"),
    }
)

PEOPLE_STORY = frozenset(
    {"role.assign", "role.confirm", "role.end", "user.add", "user.disable", "user.enable", "user.invite"}
)

# What a person does all day and needs no reminding of.
QUIET = frozenset(
    {
        *("session.start", "session.prove", "session.end", "session.end_other", "session.end_all_others"),
        *(
            "application.answer_condition",
            "application.save_answer",
            "application.save_section",
            "application.save_budget",
            "application.reply",
            "application.resolve_comment",
            "application.reopen_comment",
            "assessment.save",
            "report.write",
            "report.enter_costs",
        ),
        *("trial.begin", "trial.save_section", "trial.save_budget", "trial.note_file", "trial.drop_file"),
        *("trial.send", "trial.throw_away"),
        *("question.save", "question.draft", "ticket.take", "ticket.give_back", "ticket.move", "call.edit_copy"),
        *("list_file.ask", "list_file.make", "list_file.remove", "application.preview_letter"),
        *("eligibility_letter.print_draft", "application.open_letter_draft"),
        *("receipt.print", "eligibility_letter.print", "agreement.print", "statement.build"),
    }
)
