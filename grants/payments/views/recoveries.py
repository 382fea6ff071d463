"""Pages of recoveries: all of a grant, and each with its steps, from the proposal to what came back of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash

from grants.agreements import queries as agreements
from grants.core import clock
from grants.core.file_types import FileType
from grants.core.permissions import Scope
from grants.payments import queries, services
from grants.payments.forms.recoveries import (
    CancelRecoveryForm,
    ConfirmForm,
    ConfirmInterestForm,
    InformForm,
    InterestForm,
    IssueForm,
    ObserveForm,
    OffsetForm,
    ProposeForm,
    ProposeRejectedForm,
    ReceiptForm,
    RefuseInterestForm,
    WaiveForm,
    WaiveInterestForm,
)
from grants.payments.rules import RecoverySummary, RecoveryView
from grants.payments.rules.interest import DAY_COUNT, MARGIN
from grants.payments.rules.offsets import OffsetChoice
from grants.payments.rules.recoveries import ANSWER_DAYS
from grants.payments.states import OWED, RECOVERY, RecoveryState
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.downloads import send
from grants.web.forms import ContestedForm, Form, received, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other

DECISIONS = frozenset({FileType.PDF, FileType.JPEG, FileType.PNG})
DEBT = "/grants/<ref>/recovery/<int(max=9999):number>"


@bp.get("/grants/<ref>/recovery")
@requires(P.AGREEMENT_READ)
def recovery(ref: str) -> Any:
    """Every recovery of a grant, and what is to be proposed."""
    return _all(ref, None)


@bp.post("/grants/<ref>/recovery/propose")
@requires(P.RECOVERY_PROPOSE)
def propose_recovery(ref: str) -> Any:
    return _propose(ref, ProposeForm())


@bp.post("/grants/<ref>/recovery/propose-rejected")
@requires(P.RECOVERY_PROPOSE)
def propose_rejected(ref: str) -> Any:
    return _propose(ref, ProposeRejectedForm().of(_partners(queries.grant_recoveries(current_actor(), ref))))


def _propose(ref: str, form: ProposeForm | ProposeRejectedForm) -> Any:
    actor = current_actor()
    if form.validate_on_submit():
        with form.refusals():
            made = services.propose_recovery(actor, queries.grant_recoveries(actor, ref).grant.id, form.to_input())
            flash(f"The recovery {made.reference} is proposed. Tell the city beforehand next.", "success")
            return see_other(".debt", ref=ref, number=made.number)
    return _all(ref, form)


def _partners(found: queries.GrantRecoveries) -> list[tuple[str, str]]:
    return [(str(each.organisation_id), each.name) for each in found.grant.beneficiaries]


def _all(ref: str, sent: Form | None) -> Any:
    found = queries.grant_recoveries(current_actor(), ref)
    shown = page(
        "payments/recoveries.html",
        found=found,
        propose_form=own_or_fresh(sent, ProposeForm),
        rejected_form=sent
        if isinstance(sent, ProposeRejectedForm)
        else ProposeRejectedForm(formdata=None).of(_partners(found)),
    )
    return shown, 200 if sent is None else 422


@bp.get(DEBT)
@requires(P.AGREEMENT_READ)
def debt(ref: str, number: int) -> Any:
    """One recovery: its steps, its shares, what came back, and what this person may do next."""
    return _debt(ref, number, None)


@bp.post(f"{DEBT}/inform")
@requires(P.RECOVERY_PROPOSE)
def inform(ref: str, number: int) -> Any:
    form = InformForm()
    return take_step(ref, number, form, lambda row: services.inform(
        current_actor(), row.id, days=form.days.data or 0, version=form.version_shown()
    ), "The city is told of {reference} and may answer until the day shown here.")  # fmt: skip


@bp.post(f"{DEBT}/observe")
@requires(P.RECOVERY_OBSERVE)
def observe(ref: str, number: int) -> Any:
    form = ObserveForm()
    return take_step(ref, number, form, lambda row: services.observe(
        current_actor(), row.id, words=form.words.data or "", version=form.version_shown()
    ), "Your answer on {reference} stands. The authorising officer weighs it next.")  # fmt: skip


@bp.post(f"{DEBT}/confirm")
@requires(P.RECOVERY_CONFIRM)
def confirm_recovery(ref: str, number: int) -> Any:
    form = ConfirmForm()
    return take_step(ref, number, form, lambda row: services.confirm_recovery(
        current_actor(), row.id, words=form.words.data or "", version=form.version_shown()
    ), "{reference} is confirmed over {owed}. The accounting officer issues its debit note next.")  # fmt: skip


@bp.post(f"{DEBT}/issue")
@requires(P.RECOVERY_ISSUE)
def issue(ref: str, number: int) -> Any:
    form = IssueForm()

    def deed(row: RecoveryView) -> RecoverySummary:
        assert form.due_on.data, "validated before"
        return services.issue(current_actor(), row.id, due_on=form.due_on.data, version=form.version_shown())

    return take_step(ref, number, form, deed, "The debit note {reference} over {owed} is issued. The city is told.")


@bp.post(f"{DEBT}/book")
@requires(P.RECOVERY_BOOK)
def book_receipt(ref: str, number: int) -> Any:
    actor = current_actor()
    call_id = queries.grant_recoveries(actor, ref).grant.call_id
    form = ReceiptForm().of(queries.accounts_of_grant(actor, call_id))
    return take_step(ref, number, form, lambda row: services.book_receipt(
        current_actor(), row.id, form.to_input(), version=form.version_shown()
    ), "The receipt is booked. {owed} is still owed.")  # fmt: skip


@bp.post(f"{DEBT}/set-off")
@requires(P.RECOVERY_OFFSET)
def set_off(ref: str, number: int) -> Any:
    form = OffsetForm().of(_payments(debt_of(ref, number)))
    return take_step(ref, number, form, lambda row: services.set_off(
        current_actor(), form.to_input(row.id), version=form.version_shown()
    ), "It is set off. {owed} is still owed.")  # fmt: skip


def _payments(made: RecoveryView) -> tuple[OffsetChoice, ...]:
    """The payments this person may set the debt off against."""
    actor = current_actor()
    if not made.is_payable or not actor.can(P.RECOVERY_OFFSET):
        return ()
    return queries.offset_choices(actor, made.grant_id)


@bp.post(f"{DEBT}/waive")
@requires(P.RECOVERY_WAIVE)
def waive(ref: str, number: int) -> Any:
    form = WaiveForm()

    def deed(row: RecoveryView) -> RecoverySummary | None:
        document = received(form.file, allowed=DECISIONS)
        if document is None:
            return None
        reason = form.reason.data or ""
        return services.waive(current_actor(), row.id, reason=reason, document=document, version=form.version_shown())

    return take_step(ref, number, form, deed, "What was still owed is waived. The city is told.")


@bp.post(f"{DEBT}/cancel")
@requires(P.RECOVERY_CANCEL)
def cancel_recovery(ref: str, number: int) -> Any:
    form = CancelRecoveryForm()
    return take_step(ref, number, form, lambda row: services.cancel_recovery(
        current_actor(), row.id, reason=form.reason.data or "", version=form.version_shown()
    ), "{reference} is cancelled.")  # fmt: skip


@bp.get(f"{DEBT}/decision")
@requires(P.AGREEMENT_READ)
def waiver(ref: str, number: int) -> Any:
    return send(services.open_waiver(current_actor(), debt_of(ref, number).id))


def take_step(
    ref: str,
    number: int,
    form: ContestedForm,
    deed: Callable[[RecoveryView], RecoverySummary | None],
    said: str,
) -> Any:
    """Take a step and come back to the page, or show the form again with what was wrong."""
    if form.validate_on_submit():
        with form.attempt():
            made = deed(debt_of(ref, number))
            if made is not None:
                flash(said.format(reference=made.reference, owed=made.owed), "success")
                return see_other(".debt", ref=ref, number=number)
    return _debt(ref, number, form)


def debt_of(ref: str, number: int) -> RecoveryView:
    return queries.recovery_in(queries.grant_recoveries(current_actor(), ref), number)


def _debt(ref: str, number: int, sent: ContestedForm | None) -> Any:
    actor = current_actor()
    found = queries.grant_recoveries(actor, ref)
    made = queries.recovery_in(found, number)
    renew(sent, made.version)
    stands = {"version": str(made.version)}
    payments, where = _payments(made), agreements.scope_of_view(found.grant)
    shown = page(
        "payments/debt.html",
        grant=found.grant,
        recovery=made,
        contested=sent,
        next=made.next,
        last=overtaker(sent, "recovery", made.id, made.reference),
        steps=_allowed(made, where),
        inform_form=own_or_fresh(sent, InformForm, **stands, days=ANSWER_DAYS),
        observe_form=own_or_fresh(sent, ObserveForm, **stands),
        confirm_form=own_or_fresh(sent, ConfirmForm, **stands),
        issue_form=own_or_fresh(sent, IssueForm, **stands),
        receipt_form=sent
        if isinstance(sent, ReceiptForm)
        else ReceiptForm(formdata=None, data={**stands, "amount": made.owed + made.interest_open or None}).of(
            queries.accounts_of_grant(actor, found.grant.call_id) if made.is_payable or made.interest_open else ()
        ),
        payments=payments,
        offset_form=sent
        if isinstance(sent, OffsetForm)
        else OffsetForm(
            formdata=None, data={**stands, "amount": min(made.owed, payments[0].left) if payments else None}
        ).of(payments),
        may_reckon=actor.may(P.INTEREST_BOOK, where),
        may_confirm=actor.may(P.INTEREST_CONFIRM, where),
        interest_locked=actor.user_id in {each.booked_by for each in made.interest},
        interest_form=own_or_fresh(sent, InterestForm, **stands, margin=str(MARGIN), day_count=str(DAY_COUNT)),
        confirm_interest_form=own_or_fresh(sent, ConfirmInterestForm, **stands),
        refuse_interest_form=own_or_fresh(sent, RefuseInterestForm, **stands),
        waive_interest_form=own_or_fresh(sent, WaiveInterestForm, **stands),
        waive_form=own_or_fresh(sent, WaiveForm, **stands),
        cancel_form=own_or_fresh(sent, CancelRecoveryForm, **stands),
    )
    return shown, 200 if sent is None else status_of(sent)


def _allowed(made: RecoveryView, where: Scope) -> dict[str, str]:
    """The steps this person may take now; where only somebody else may, why."""
    actor = current_actor()
    today = clock.today()
    needs = {each.verb: each.needs for each in RECOVERY.transitions if made.state in each.sources}
    found = {verb: "" for verb, needed in needs.items() if needed is not None and actor.may(needed, where)}
    if (
        "confirm" in found
        and made.state is RecoveryState.PRE_INFORMED
        and made.reply_until
        and today <= made.reply_until
    ):
        found["confirm"] = f"The city may answer until {clock.long_date(made.reply_until)}."
    if "observe" in found and made.reply_until and today > made.reply_until:
        del found["observe"]
    if "confirm" in found and actor.user_id == made.proposed_by_id:
        found["confirm"] = "You proposed it, so somebody else confirms it."
    if made.interest_open and actor.may(P.RECOVERY_BOOK, where):
        found["book"] = ""
    if actor.user_id == made.confirmed_by_id:
        found |= {
            verb: "You confirmed it, so somebody else does this."
            for verb in ("issue", "book", "set_off", "waive", "cancel")
            if verb in found
        }
    if "cancel" in found and made.state in OWED and not actor.may(P.RECOVERY_CONFIRM, where):
        del found["cancel"]
    return found
