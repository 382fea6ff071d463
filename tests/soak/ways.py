"""Straight ways through the walk, step by step: each deed is done at least once, whatever a random walk happens to reach."""

from __future__ import annotations

from typing import Any

from grants.payments.states import Explained
from tests import actors
from tests.soak.walking import Walk

Step = tuple[str, dict[str, Any]]


def _(name: str, **given: Any) -> Step:
    return name, given


AMENDMENTS = ("scope", "extension", "raise", "lower", "shift", "partner in", "account", "partner out", "partner back")
WAYS: dict[str, tuple[str, tuple[Step, ...]]] = {
    "an agreement changed in every way": (
        "new",
        (
            *(_("amend", kind=kind, thousands=20, whole=True) for kind in AMENDMENTS),
            _("amend", kind="scope", thousands=1, whole=False), _("step_of_amendment", step="send"),
            _("step_of_amendment", step="open"), _("step_of_amendment", step="refuse"),
            _("amend", kind="scope", thousands=2, whole=False), _("step_of_amendment", step="withdraw"),
        ),
    ),
    "a grant that is suspended, ended, and its money passed on": (
        "accepted",
        (
            _("move_budget", thousands=5, way="within"), _("move_budget", thousands=5, way="to the city"),
            _("hold", who=0, whole=True), _("decide", number=1, percent=100, who=1), _("lift_hold", who=1),
            _("hold", who=0, whole=False), _("lift_hold", who=1),
            _("propose_termination", by_city=False), _("step_of_termination", step="object"),
            _("step_of_termination", step="confirm"), _("weeks_pass", weeks=7), _("step_of_termination", step="carry out"),
            _("report_passed_on", percent=50), _("answer_passed_on", number=0, verb="confirm"),
            _("report_passed_on", percent=50), _("answer_passed_on", number=1, verb="refuse"),
            _("report_passed_on", percent=50), _("answer_passed_on", number=2, verb="withdraw"),
            _("waive_distribution", who=0),
        ),
    ),
    "a debt that is reminded of, paid late, set off and waived": (
        "owed",
        (
            _("weeks_pass", weeks=7), _("remind"), _("book", number=0, percent=40, who=3),
            _("reckon_interest", number=0, who=2), _("decide_interest", number=0, confirm=True, who=3),
            _("set_off_against_another_grant", number=0, percent=50, who=3), _("book", number=0, percent=120, who=3),
            _("reject_costs", euros=1000, who=0), _("next_of_debt", number=1, who=0), _("next_of_debt", number=1, who=0),
            _("next_of_debt", number=1, who=1), _("next_of_debt", number=1, who=2), _("waive", number=1, who=3),
        ),
    ),
    "a payment that comes back twice and goes to another account": (
        "sent",
        (
            _("report_of_the_bank", number=0, word="ACSC"), _("statement", number=0, kind="return"),
            _("reissue", number=0, who=1), *(_("next_step", number=1, who=who) for who in (2, 3, 4, 0)),
            _("bank_rejects", number=1, who=0), _("reissue", number=1, who=1), _("another_account", answer="own"), _("another_account", answer="confirm"),
            _("next_step", number=2, who=2), _("change", number=2, percent=100, who=1), _("next_step", number=2, who=2),
            _("propose_reversal", number=5, who=0), _("decide_reversal", number=0, verb="confirm", who=1),
            _("crash_in_the_next", point="commit"), _("cancel", number=2, who=1), _("same_key_again", number=3),
        ),
    ),
    "an order that the bank tells a cent off": (
        "sent",
        (
            _("statement", number=0, kind="a cent off"), _("statement", number=0, kind="another reference"),
            _("statement", number=0, kind="twice"),
        ),
    ),
    "a payment whose clock stands still": (
        "decided",
        (
            _("suspend", number=0, who=0), _("prepare", number=0, percent=100, who=1), _("answer_suspension", number=0),
            _("lift", number=0, who=0),
        ),
    ),
    "more that is paid in advance, and the rest of it cancelled": (
        "paid",
        (
            _("ask_additional", percent=10), _("ask_additional", percent=40), _("reject", number=1, who=0),
            _("ask_again", number=1), _("ask_additional", percent=100), _("decide", number=2, percent=100, who=1),
            _("prepare", number=2, percent=40, who=1), *(_("next_step", number=1, who=who) for who in (2, 3, 4, 0, 4)),
            _("cancel_unpaid", number=2, who=0), _("cancel_unpaid", number=2, who=0), _("ask_additional", percent=100),
        ),
    ),
    "a payment that comes back after a part of its request was cancelled": (
        "decided",
        (
            _("prepare", number=0, percent=50, who=1), *(_("next_step", number=0, who=who) for who in (2, 3, 4, 0, 4)),
            _("accept_a_report", euros=450_000), _("decide", number=1, percent=100, who=0),
            _("cancel_unpaid", number=0, who=0), _("prepare", number=0, percent=100, who=1),
            *(_("next_step", number=1, who=who) for who in (2, 3, 4, 0, 4)),
            _("ask_additional", percent=100), _("decide", number=2, percent=50, who=1),
            _("statement", number=1, kind="return"), _("cancel_unpaid", number=0, who=0), _("cancel_unpaid", number=2, who=0),
        ),
    ),
    "costs rejected after the balance and set off against it": (
        "balanced",
        (
            _("reject_costs", euros=1000, who=0), _("next_of_debt", number=0, who=0), _("next_of_debt", number=0, who=0),
            _("next_of_debt", number=0, who=1), _("next_of_debt", number=0, who=2),
            _("set_off", number=0, request=2, percent=50, who=3), _("weeks_pass", weeks=7),
            _("book", number=0, percent=50, who=3), _("reckon_interest", number=0, who=2),
            _("decide_interest", number=0, confirm=True, who=3), _("waive_interest", number=0, who=4),
        ),
    ),
    "an agreement changed by letters, by silence, and by signed paper": (
        "new",
        (
            _("letter", by_city=True, thousands=1, consent=True), _("letter", by_city=False, thousands=2, consent=True),
            _("letter", by_city=True, thousands=3, consent=False), _("silence"), _("weeks_pass", weeks=7),
            _("weeks_pass", weeks=2), _("silence"),
            *(
                step
                for number, ends in enumerate(("refuse", "withdraw", "accept"))
                for step in (
                    _("amend", kind="scope", thousands=10 + number, whole=False), _("step_of_amendment", step="send"),
                    _("signed_document", step="city"), _("step_of_amendment", step="accept"),
                    _("signed_document", step="city"), _("signed_document", step="accept"), _("signed_document", step="read"),
                    _("signed_document", step=ends), _("signed_document", step="programme"),
                    _("signed_document", step="read"), _("signed_document", step="accept own"),
                    _("signed_document", step="accept"), _("step_of_amendment", step="sign_city"),
                    _("step_of_amendment", step="sign_programme"), _("step_of_amendment", step="take_back"),
                )
            ),
            _("amend", kind="scope", thousands=5, whole=False), _("step_of_amendment", step="send"),
            _("step_of_amendment", step="accept"), _("step_of_amendment", step="take_back"),
            _("amend", kind="scope", thousands=6, whole=False), _("step_of_amendment", step="send"),
            _("step_of_amendment", step="accept"), _("step_of_amendment", step="decline"),
        ),
    ),
    "the part of a partner that ends, and comes back": (
        "accepted",
        (
            _("propose_end_of_part", by_city=True), _("step_of_part", step="object as coordinator"),
            _("step_of_part", step="confirm"), _("step_of_part", step="withdraw"),
            _("propose_end_of_part", by_city=False), _("step_of_part", step="object"), _("step_of_part", step="confirm"),
            _("end_the_part"), _("decide", number=1, percent=100, who=1), _("weeks_pass", weeks=7), _("end_the_part"),
            _("accept_a_report", euros=1000), _("decide", number=2, percent=100, who=1),
            _("amend", kind="partner back", thousands=0, whole=True), _("propose_end_of_part", by_city=False),
        ),
    ),
    "pre-financing that is verified and secured, and never paid": (
        "secured",
        (
            _("before_its_decision", number=0, step="return", who=2), _("record_guarantee", percent=100, days=5, who=1),
            _("decide", number=0, percent=100, who=0), _("decide", number=0, percent=100, who=1), _("reject", number=0, who=1),
            _("weeks_pass", weeks=5), _("decide", number=0, percent=100, who=2), _("end_guarantee", who=3),
            _("record_guarantee", percent=90, days=50, who=1), _("record_guarantee", percent=100, days=50, who=1),
            _("decide", number=0, percent=100, who=2), _("before_its_decision", number=0, step="register", who=2),
            _("end_guarantee", who=3), _("prepare", number=0, percent=50, who=2), _("cancel_unpaid", number=0, who=3),
            _("cancel", number=0, who=2), _("cancel_unpaid", number=0, who=3), _("cancel_unpaid", number=0, who=3),
            _("end_guarantee", who=3), _("accept_a_report", euros=1000),
            _("before_its_decision", number=1, step="return", who=2), _("before_its_decision", number=1, step="complete", who=2),
            _("before_its_decision", number=1, step="complete", who=2), _("before_its_decision", number=1, step="verify", who=2),
            _("before_its_decision", number=1, step="register", who=2), _("before_its_decision", number=1, step="verify", who=2),
            _("before_its_decision", number=1, step="verify", who=1), _("reject", number=1, who=3), _("ask_again", number=1),
            _("ask_again", number=1),
        ),
    ),
    "interest for a payment that was late": (
        "paid",
        (
            _("reckon_late_interest", number=0, who=0), _("reckon_late_interest", number=0, who=0),
            _("decide_late_interest", number=0, confirm=True, who=0), _("decide_late_interest", number=0, confirm=False, who=0),
            _("decide_late_interest", number=0, confirm=False, who=1), _("reckon_late_interest", number=0, who=0),
            _("decide_late_interest", number=0, confirm=True, who=1), _("prepare", number=1, percent=100, who=1),
            *(_("next_step", number=1, who=who) for who in (2, 3, 4, 0)), _("bank_rejects", number=1, who=0),
            _("reissue", number=1, who=1), *(_("next_step", number=2, who=who) for who in (2, 3, 4, 0)),
            _("list_of_executions", number=1, kind="right"), _("statement", number=1, kind="return"),
        ),
    ),
    "what the bank tells is explained by two people": (
        "sent",
        (
            _("statement", number=0, kind="a cent off"), _("explain", number=0, what=Explained.ORDER, fits=False, debt=0, who=0),
            _("statement", number=0, kind="another reference"),
            _("explain", number=1, what=Explained.ORDER, fits=False, debt=0, who=1),
            _("explain", number=1, what=Explained.ORDER, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="confirm", who=0),
            _("decide_claim", number=0, verb="refuse", who=0), _("decide_claim", number=0, verb="refuse", who=4),
            _("explain", number=1, what=Explained.ORDER, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="withdraw", who=4),
            _("decide_claim", number=0, verb="withdraw", who=0),
            _("explain", number=1, what=Explained.ORDER, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="confirm", who=4),
            _("line_of_the_bank", number=0, kind="charge", euros=9),
            _("explain", number=2, what=Explained.CHARGE, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="confirm", who=4),
            _("line_of_the_bank", number=0, kind="receipt", euros=99),
            _("explain", number=3, what=Explained.FUNDING, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="confirm", who=4),
            _("line_of_the_bank", number=0, kind="came back", euros=1),
            _("explain", number=4, what=Explained.RETURN, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="confirm", who=4),
            _("line_of_the_bank", number=0, kind="charge", euros=8),
            _("explain", number=5, what=Explained.SET_ASIDE, fits=False, debt=0, who=0), _("decide_claim", number=0, verb="confirm", who=4),
        ),
    ),
    "a debt that an unknown receipt pays": (
        "owed",
        (
            _("line_of_the_bank", number=0, kind="receipt", euros=1000),
            _("explain", number=0, what=Explained.RECOVERY, fits=False, debt=0, who=1),
            _("explain", number=0, what=Explained.RECOVERY, fits=False, debt=0, who=3), _("decide_claim", number=0, verb="confirm", who=4),
        ),
    ),
    "executions without a bank channel": (
        "sent",
        (
            _("list_of_executions", number=0, kind="no row"), _("list_of_executions", number=0, kind="a cent off"),
            _("list_of_executions", number=0, kind="twice"), _("list_of_executions", number=0, kind="right"),
        ),
    ),
    "a balance that waits for a certificate": (
        "certified",
        (
            _("decide", number=2, percent=100, who=1), _("certificate", number=0, step="accept"),
            _("certificate", number=0, step="bring"), _("certificate", number=0, step="bring"),
            _("certificate", number=0, step="do without"), _("certificate", number=0, step="return"),
            _("certificate", number=0, step="return"), _("certificate", number=0, step="bring"),
            _("decide", number=2, percent=100, who=1), _("certificate", number=0, step="accept"),
            _("decide", number=2, percent=100, who=1), _("certificate", number=0, step="do without"),
        ),
    ),
    "a balance without the certificate that was asked for": (
        "certified",
        (_("certificate", number=0, step="do without"), _("decide", number=2, percent=100, who=1)),
    ),
    "a grant that is paid and closed, and what nobody does after that": (
        "balanced",
        (
            _("close", who=0), _("prepare", number=2, percent=101, who=1), _("prepare", number=2, percent=100, who=1),
            *(_("next_step", number=1, who=who) for who in (1, 2, 2, 3, 3, 4, 1, 0, 1, 4)),
            _("prepare", number=1, percent=100, who=1), *(_("next_step", number=2, who=who) for who in (2, 3, 4, 0, 4)),
            _("report_passed_on", percent=120), _("waive_distribution", who=0), _("waive_distribution", who=0),
            _("close", who=0), _("close", who=0), _("hold", who=0, whole=True), _("move_budget", thousands=5, way="within"),
            _("reject_costs", euros=30_000, who=0), _("ask_again", number=0), _("letter", by_city=True, thousands=1, consent=False),
            _("propose_termination", by_city=True), _("propose_end_of_part", by_city=True), _("reject", number=0, who=0),
            _("suspend", number=0, who=0), _("record_guarantee", percent=100, days=5, who=0),
        ),
    ),
    "a debt that is not owed after all": (
        "owed",
        (
            _("any_of_debt", number=0, step="inform", who=0), _("any_of_debt", number=0, step="observe", who=0),
            _("any_of_debt", number=0, step="confirm", who=0), _("any_of_debt", number=0, step="issue", who=0),
            _("propose_recovery", who=0), _("waive", number=0, who=0), _("book", number=0, percent=1, who=1),
            _("weeks_pass", weeks=7), _("book", number=0, percent=1, who=3), _("waive_interest", number=0, who=3),
            _("reckon_interest", number=0, who=2), _("decide_interest", number=0, confirm=True, who=2),
            _("decide_interest", number=0, confirm=False, who=2), _("decide_interest", number=0, confirm=False, who=3),
            _("cancel_recovery", number=0, who=3), _("reject_costs", euros=1000, who=0), _("cancel_recovery", number=1, who=0),
            _("set_off_against_another_grant", number=0, percent=120, who=3),
        ),
    ),
    "an order that is thrown away, and a file that the bank refuses": (
        "ready",
        (
            _("discard", number=0, who=0), _("discard", number=0, who=0), _("next_step", number=0, who=3),
            _("next_step", number=0, who=4), _("bank_rejects_the_file", number=0, who=0), _("next_step", number=0, who=3),
            _("bank_rejects", number=0, who=0), _("next_step", number=0, who=0), _("any_step", number=0, step="execute", who=1),
            _("bank_rejects_the_file", number=0, who=0), _("reissue", number=0, who=1), _("reissue", number=0, who=1),
            _("change", number=1, percent=50, who=1), _("cancel", number=0, who=1), _("lift", number=0, who=1),
            _("propose_reversal", number=0, who=0), _("propose_reversal", number=5, who=0),
            _("decide_reversal", number=0, verb="confirm", who=0), _("decide_reversal", number=0, verb="refuse", who=0),
            _("decide_reversal", number=0, verb="withdraw", who=1), _("decide_reversal", number=0, verb="refuse", who=1),
            _("propose_reversal", number=5, who=0), _("decide_reversal", number=1, verb="withdraw", who=0),
        ),
    ),
    "what stands beside the money": (
        "new",
        (
            _("open_prefinancing_again"), _("keep_forecasts"), _("hold_its_records"), _("another_own_account"), _("other_people_of_the_city"),
            _("record_guarantee", percent=100, days=5, who=0), _("move_budget", thousands=100, way="within"),
            _("hold", who=0, whole=True), _("hold", who=0, whole=True), _("lift_hold", who=1),
        ),
    ),
}  # fmt: skip
# Every act of these must have been done; its name, or the step's where several acts make one.
DEEDS = frozenset(
    """
    accept amendment, answer_suspension, ask_additional, authorise, bank file: camt.053, bank file: pain.002, book_interest,
    book_receipt, build, cancel, cancel_request, change, confirm termination, confirm_interest, confirm_passed_on, confirm_recovery, confirm_reversal,
    decide, draft_amendment, execute, hold, inform, issue, lift, lift_hold, move_budget, object termination, observe,
    open amendment, open_for_report, prepare, propose_recovery, propose_reversal, propose_termination, refuse amendment,
    refuse_passed_on, reissue, reject_by_bank, reject_costs, remind, report_passed_on, send, send amendment, set_off,
    set_off_across, sign_city amendment, sign_programme amendment, suspend, verify, waive, waive_distribution,
    waive_interest, withdraw amendment, withdraw_passed_on, accept signed document, bring certificate, cancel_request,
    city signed document, confirm part, confirm_claim, confirm_late_interest, consent_to_letter, consent_to_letter_for_city,
    do without certificate, end_guarantee, import_executions, object part, programme signed document, propose_end_of_part,
    record_guarantee, refuse signed document, register_request, return_request, verify_request, withdraw signed document
    """.replace("\n", " ").split(", ")
)
DEEDS = frozenset(" ".join(each.split()) for each in DEEDS)


def go(stage: str, steps: tuple[Step, ...]) -> None:
    """Go one way from its stage; the books are the model after every step."""
    walk = Walk()
    walk.begin(stage=stage)
    walk.nobody = actors.nobody()
    for name, given in steps:
        getattr(walk, name)(**given)
        walk.the_books_are_the_model()
    walk.teardown()
