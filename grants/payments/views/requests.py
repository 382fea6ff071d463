"""Pages of one payment request: registered, verified, decided, suspended, ordered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash

from grants.agreements import queries as agreements
from grants.agreements.rules import HoldView, refuse_held
from grants.core import clock
from grants.core.errors import Refused
from grants.core.permissions import Actor
from grants.core.together import Asking, alone, side_by_side
from grants.payments import queries, rules, services
from grants.payments.forms import (
    CheckForm,
    DecideForm,
    LiftForm,
    PrepareForm,
    ReasonForm,
    RegisterForm,
    ReturnForm,
    SuspendForm,
    decide_form,
)
from grants.payments.forms.late_interest import CancelRequestForm
from grants.payments.queries.additional import use_of
from grants.payments.queries.stopping import held_back, stopped_words
from grants.payments.rules.ahead import HeldBack
from grants.payments.states import SuspensionReason
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, choices, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/requests/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def request_page(ref: str) -> Any:
    return _request(ref, None)


@bp.post("/finance/requests/<ref>/decide")
@requires(P.PAYMENT_REQUEST_DECIDE)
def decide(ref: str) -> Any:
    actor = current_actor()
    form = decide_form(_parts_to_decide(actor, ref))()
    if form.validate_on_submit():
        with form.attempt():
            given = form.to_input()
            made = services.decide(actor, queries.request_id_of(actor, ref), given, version=form.version_shown())
            flash(
                f"Request {ref} is decided: {made.state.value.replace('_', ' ')}. The coordinator is told.", "success"
            )
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/reject")
@requires(P.PAYMENT_REQUEST_DECIDE)
def reject(ref: str) -> Any:
    actor, form = current_actor(), ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, reason = queries.request_id_of(actor, ref), form.reason.data or ""
            services.reject(actor, request_id, reason=reason, version=form.version_shown())
            flash(f"Request {ref} is rejected. The coordinator is told why.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/cancel")
@requires(P.PAYMENT_REQUEST_DECIDE)
def cancel_request(ref: str) -> Any:
    actor, form = current_actor(), CancelRequestForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, reason = queries.request_id_of(actor, ref), form.reason.data or ""
            of, shown = form.partner(), form.version_shown()
            services.cancel_request(actor, request_id, reason=reason, of=of, version=shown)
            flash(f"What was never paid of {ref} is cancelled. The coordinator is told why.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/orders")
@requires(P.PAYMENT_ORDER_PREPARE)
def prepare(ref: str) -> Any:
    actor, form = current_actor(), PrepareForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id = queries.request_id_of(actor, ref)
            made = services.prepare(actor, request_id, amount=form.amount.data, version=form.version_shown())
            flash(f"Order {made.reference} is prepared. {rules.order_next(made.state)}", "success")
            return see_other(".order", ref=made.reference)
    return _request(ref, form)


def _parts_to_decide(actor: Actor, ref: str) -> tuple[rules.PartLine, ...]:
    """The parts its page showed, also where somebody was faster; none where it cannot be approved as a whole."""
    try:
        found = queries.request(actor, ref)
        return queries.forecast(found).parts if found.is_open else queries.parts_decided(found)[0]
    except Refused:
        return ()


@bp.post("/finance/requests/<ref>/register")
@requires(P.PAYMENT_REQUEST_REGISTER)
def register(ref: str) -> Any:
    actor, form = current_actor(), RegisterForm()
    if form.validate_on_submit():
        with form.attempt():
            services.register(actor, queries.request_id_of(actor, ref), version=form.version_shown())
            flash(f"Request {ref} is registered.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/return")
@requires(P.PAYMENT_REQUEST_REGISTER)
def send_back(ref: str) -> Any:
    actor, form = current_actor(), ReturnForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, words = queries.request_id_of(actor, ref), form.words.data or ""
            services.send_back(actor, request_id, words=words, version=form.version_shown())
            flash(f"Request {ref} is returned. The coordinator is told what is missing.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/verify")
@requires(P.PAYMENT_REQUEST_VERIFY)
def verify_request(ref: str) -> Any:
    actor, form = current_actor(), CheckForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, ticked = queries.request_id_of(actor, ref), tuple(form.evidence.data or ())
            note = form.note.data or ""
            services.verify_request(actor, request_id, evidence=ticked, note=note, version=form.version_shown())
            flash(f"Request {ref} is verified. The authorising officer decides it next.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/suspend")
@requires(P.PAYMENT_REQUEST_SUSPEND)
def suspend(ref: str) -> Any:
    actor, form = current_actor(), SuspendForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, reason = queries.request_id_of(actor, ref), SuspensionReason(form.reason.data)
            notice = form.notice.data or ""
            services.suspend(actor, request_id, reason=reason, notice=notice, version=form.version_shown())
            flash(f"The payment of {ref} is suspended. The coordinator is sent the notice.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/lift")
@requires(P.PAYMENT_REQUEST_SUSPEND)
def lift(ref: str) -> Any:
    actor, form = current_actor(), LiftForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, reason = queries.request_id_of(actor, ref), form.reason.data or ""
            services.lift(actor, request_id, reason=reason, version=form.version_shown())
            flash(f"The clock of {ref} goes on. The coordinator is told.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


def _request(ref: str, sent: ContestedForm | None) -> Any:
    """The page of a request; the form that was sent comes back as it was typed, the others fresh."""
    actor = current_actor()
    found = queries.request(actor, ref)
    renew(sent, found.version)
    about: list[Asking[Any]] = [
        *(agreements.holds.asking([found.grant_id]), queries.history.asking([found.id])),
        *(stopped_words.asking([found.id]), queries.set_off.asking(found.reference)),
        *(queries.cancellations.asking(found.id), queries.interest_origin.asking(found.id), use_of.asking(found.id)),
        held_back.asking([found.id]),
    ]
    held, histories, stops, taken, cancelled, interest_on, use, parts_end = alone(side_by_side(about))
    holds = held[found.grant_id]
    outcome = refusal = limits = None
    parts: tuple[rules.PartLine, ...] = ()
    if found.deed in {"decide", "check", "register"} and found.is_open:
        try:
            outcome = queries.forecast(found)
            parts, limits = outcome.parts, outcome.limits
        except Refused as error:
            refusal = str(error)
    elif found.decision:
        parts, limits = queries.parts_decided(found)
    stopped = stops.get(found.reference) if found.to_order else None
    shown = page(
        "payments/request.html",
        asked=found,
        stopped=stopped,
        taken=taken if found.set_off else None,
        cancelled=cancelled,
        parts_end=parts_end,
        interest_on=interest_on,
        use=use,
        cancel_form=_cancel_form(sent, found, parts_end),
        position=outcome.position if outcome else None,
        forecast=outcome.decision if outcome else None,
        limits=limits,
        parts=parts,
        refusal=refusal,
        form=sent,
        next=stopped or rules.request_next(found),
        history=histories[found.id],
        held=_held(found, holds),
        holds=[each for each in holds if each.lifted_on is None],
        register_form=own_or_fresh(sent, RegisterForm, version=found.version),
        return_form=own_or_fresh(sent, ReturnForm, version=found.version),
        check_form=_check_form(sent, found),
        suspend_form=own_or_fresh(sent, SuspendForm, version=found.version),
        lift_form=own_or_fresh(sent, LiftForm, version=found.version),
        last=overtaker(sent, "payment_request", found.id, found.reference),
        decide_form=sent
        if isinstance(sent, DecideForm)
        else own_or_fresh(None, decide_form(parts), version=found.version, approved=found.requested),
        reject_form=own_or_fresh(sent, ReasonForm, version=found.version),
        prepare_form=own_or_fresh(sent, PrepareForm, version=found.version, amount=found.to_order),
    )
    return shown, status_of(sent)


def _cancel_form(
    sent: ContestedForm | None, found: rules.RequestView, parts_end: Sequence[HeldBack]
) -> CancelRequestForm:
    """The form; where parts end with what falls on each to choose from, the first of them chosen."""
    ended = [each for each in parts_end if each.is_confirmed]
    first = str(ended[0].organisation_id) if ended else None
    form = own_or_fresh(sent, CancelRequestForm, version=found.version, of=first)
    assert isinstance(form, CancelRequestForm)
    form.of.choices = choices(
        [
            *((str(each.organisation_id), f"What falls on {each.name}: {each.amount}") for each in ended),
            *([("", "All that was never paid")] if ended else []),
        ]
    )
    return form


def _check_form(sent: ContestedForm | None, found: rules.RequestView) -> CheckForm:
    form = own_or_fresh(sent, CheckForm, version=found.version)
    assert isinstance(form, CheckForm)
    form.evidence.choices = choices(rules.EVIDENCE[found.kind].items())
    return form


def _held(found: rules.RequestView, holds: Sequence[HoldView]) -> str | None:
    """Why the authoriser cannot decide now, or None; the act checks it again."""
    try:
        refuse_held(holds, (), clock.today())
        rules.refuse_suspended(found.reference, found.standing.suspended_on)
        rules.refuse_before_its_path(found.state, found.standing.call.passes)
    except Refused as refusal:
        return str(refusal)
    return None
