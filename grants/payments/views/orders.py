"""Pages of one payment order: signed step by step, changed, cancelled, executed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.core import clock
from grants.core.together import alone, both
from grants.payments import queries, rules, services
from grants.payments.forms import (
    BankRejectForm,
    ChangeForm,
    ExecuteForm,
    ReasonForm,
    SignForm,
)
from grants.payments.rules import returns
from grants.payments.rules.evidence import ticks_of
from grants.payments.rules.hands import NEXT_STEP
from grants.payments.rules.showing import OrderView
from grants.payments.states import NOT_LEFT, Step
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, choices, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/orders/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def order(ref: str) -> Any:
    return _order(ref, None)


@bp.post("/finance/orders/<ref>/verify")
@requires(P.PAYMENT_ORDER_VERIFY)
def verify(ref: str) -> Any:
    return _sign(ref, services.verify)


@bp.post("/finance/orders/<ref>/authorise")
@requires(P.PAYMENT_ORDER_AUTHORISE)
def authorise(ref: str) -> Any:
    return _sign(ref, services.authorise)


def _sign(ref: str, deed: Any) -> Any:
    actor, form = current_actor(), SignForm()
    if form.validate_on_submit():
        with form.attempt():
            ticked, note = tuple(form.evidence.data or ()), form.note.data or ""
            made = deed(actor, _order_id(ref), evidence=ticked, note=note, version=form.version_shown())
            flash(f"Order {ref} {made.state.value}. {rules.order_next(made.state)}", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/change")
@requires(P.PAYMENT_ORDER_PREPARE)
def change(ref: str) -> Any:
    form = ChangeForm()
    if form.validate_on_submit() and form.amount.data is not None:
        with form.attempt():
            typed, reason = form.amount.data, form.reason.data or ""
            services.change(current_actor(), _order_id(ref), amount=typed, reason=reason, version=form.version_shown())
            flash(
                f"Order {ref} changed. Every signature given before is void; it is verified and authorised again.",
                "success",
            )
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/cancel")
@requires(P.PAYMENT_ORDER_CANCEL)
def cancel(ref: str) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.cancel(current_actor(), _order_id(ref), reason=reason, version=form.version_shown())
            flash(f"Order {ref} cancelled. What it held can be ordered again.", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/execute")
@requires(P.PAYMENT_ORDER_EXECUTE)
def execute(ref: str) -> Any:
    form = ExecuteForm()
    if form.validate_on_submit() and form.value_on.data:
        with form.attempt():
            day = form.value_on.data
            services.execute(current_actor(), _order_id(ref), value_on=day, version=form.version_shown())
            flash(f"Order {ref} executed on {clock.long_date(day)}.", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/reissue")
@requires(P.PAYMENT_ORDER_PREPARE)
def reissue(ref: str) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            made = services.reissue(current_actor(), _order_id(ref), version=form.version_shown())
            flash(f"{ref} is issued again as {made.reference}. It is signed anew by everybody who must.", "success")
            return see_other(".order", ref=made.reference)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/bank-reject")
@requires(P.PAYMENT_ORDER_EXECUTE)
def bank_reject(ref: str) -> Any:
    form = BankRejectForm()
    if form.validate_on_submit() and form.on.data:
        with form.attempt():
            said, day = form.said.data or "", form.on.data
            services.reject_by_bank(current_actor(), _order_id(ref), reason=said, on=day, version=form.version_shown())
            flash(f"{ref} is rejected by the bank. The city is told; the initiator issues it again.", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


def _order_id(ref: str) -> UUID:
    return queries.order_id_of(current_actor(), ref)


def _order(ref: str, sent: ContestedForm | None) -> Any:
    actor = current_actor()
    found = queries.order(actor, ref)
    renew(sent, found.version)
    hands, taken = alone(both(queries.hands_of.asking(actor), queries.set_off.asking(found.request_reference)))
    step = NEXT_STEP.get(found.state)
    shown = page(
        "payments/order.html",
        order=found,
        taken=taken,
        locked=queries.lock_of(actor, found, hands),
        acting=hands.standing_in(step, found.call_id) if step else None,
        circuit=hands.circuit_of(found.prepared_at),
        steps=[(step, rules.STEP_PEOPLE[step]) for step in Step],
        signed={each.step: each for each in found.standing},
        form=sent,
        sign_form=_sign_form(sent, found, step),
        change_form=own_or_fresh(sent, ChangeForm, version=found.version, amount=found.amount),
        cancel_form=own_or_fresh(sent, ReasonForm, version=found.version),
        execute_form=own_or_fresh(sent, ExecuteForm, version=found.version),
        reject_form=own_or_fresh(sent, BankRejectForm, version=found.version),
        plain_form=sent
        if type(sent) is ContestedForm
        else ContestedForm(formdata=None, data={"version": str(found.version)}),
        # What has not left the bank knows nothing of.
        statuses=() if found.state in NOT_LEFT else queries.statuses_of(found.id),
        reason_words=returns.reason_words(found.bank_reason or ""),
        other_account=returns.needs_other_account(found.bank_reason or ""),
        next=rules.order_next(found.state),
        last=overtaker(sent, "payment_order", found.id, found.reference),
    )
    return shown, status_of(sent)


def _sign_form(sent: ContestedForm | None, found: OrderView, step: Step | None) -> SignForm:
    """The form with what its step asks to be ticked."""
    form = own_or_fresh(sent, SignForm, version=found.version)
    assert isinstance(form, SignForm), "one of its kind"
    form.evidence.choices = choices(ticks_of(step, found.kind).items()) if step else []
    return form
