"""Straight ways through the walk, step by step: each deed is done at least once, whatever a random walk happens to reach."""

from __future__ import annotations

from typing import Any

from tests.soak.walking import Walk

Step = tuple[str, dict[str, Any]]


def _(name: str, **given: Any) -> Step:
    return name, given


AMENDMENTS = ("scope", "extension", "raise", "lower", "shift", "partner in", "account", "partner out")
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
            _("bank_rejects", number=1, who=0), _("reissue", number=1, who=1), _("another_account"),
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
    waive_interest, withdraw amendment, withdraw_passed_on
    """.replace("\n", " ").split(", ")
)
DEEDS = frozenset(" ".join(each.split()) for each in DEEDS)


def go(stage: str, steps: tuple[Step, ...]) -> None:
    """Go one way from its stage; the books are the model after every step."""
    walk = Walk()
    walk.begin(stage=stage)
    for name, given in steps:
        getattr(walk, name)(**given)
        walk.the_books_are_the_model()
    walk.teardown()
