"""Pages of the payment circuit: who must differ on an order, who stands in for whom, and how much a person may authorise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import flash

from grants.core import files
from grants.core.errors import Invalid, NotFound
from grants.identity import queries as people
from grants.identity import services as identity
from grants.identity.rules import normal_email
from grants.payments import queries, services
from grants.payments.forms import CircuitForm, LimitForm, ReasonForm, StandInForm
from grants.payments.queries.circuit import RuleView
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web import downloads
from grants.web.forms import ContestedForm, Form, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/circuit")
@requires(P.CIRCUIT_READ)
def circuit() -> Any:
    return _circuit(None)


@bp.post("/finance/circuit")
@requires(P.CIRCUIT_SET)
def propose_circuit() -> Any:
    form = CircuitForm()
    if form.validate_on_submit():
        with form.refusals():
            services.propose_circuit(current_actor(), form.to_input(), reason=form.reason.data or "")
            flash("The circuit is proposed. Another administrator has to confirm it.", "success")
            return see_other(".circuit")
    return _circuit(form)


@bp.post("/finance/circuit/<int(max=2147483647):number>/confirm")
@requires(P.CIRCUIT_CONFIRM)
def confirm_circuit(number: int) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            row = _one(queries.circuit_page(current_actor()).history, number)
            services.confirm_circuit(current_actor(), row.id, version=form.version_shown())
            flash("The circuit holds for every order prepared from now on.", "success")
            return see_other(".circuit")
    return _circuit(form)


@bp.post("/finance/circuit/<int(max=2147483647):number>/refuse")
@requires(P.CIRCUIT_CONFIRM)
def refuse_circuit(number: int) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            row, why = _one(queries.circuit_page(current_actor()).history, number), form.reason.data or ""
            services.refuse_circuit(current_actor(), row.id, reason=why, version=form.version_shown())
            flash("The circuit is refused.", "success")
            return see_other(".circuit")
    return _circuit(form)


@bp.post("/finance/circuit/<int(max=2147483647):number>/withdraw")
@requires(P.CIRCUIT_SET)
def withdraw_circuit(number: int) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            row = _one(queries.circuit_page(current_actor()).history, number)
            services.withdraw_circuit(current_actor(), row.id, version=form.version_shown())
            flash("The circuit is withdrawn.", "success")
            return see_other(".circuit")
    return _circuit(form)


def _circuit(sent: Form | None) -> Any:
    found = queries.circuit_page(current_actor())
    newest = found.open or next(iter(found.history), None)
    waiting = [found.open] if found.open else []
    shown = {"found": found, "propose_form": own_or_fresh(sent, CircuitForm)}
    return _shown("payments/circuit.html", sent, newest, waiting, "payment_circuit", **shown)


@bp.get("/finance/limits")
@requires(P.CIRCUIT_READ)
def limits() -> Any:
    return _limits(None)


@bp.post("/finance/limits")
@requires(P.CIRCUIT_SET)
def propose_limit() -> Any:
    actor, form = current_actor(), LimitForm().of(queries.limits_page(current_actor()).officers)
    if form.validate_on_submit():
        with form.refusals():
            most, a_day = form.per_order.data, form.per_day.data
            person, why = UUID(str(form.person.data)), form.reason.data or ""
            services.propose_limit(actor, person, per_order=most, per_day=a_day, reason=why)
            flash("The limit is proposed. Another administrator has to confirm it.", "success")
            return see_other(".limits")
    return _limits(form)


@bp.post("/finance/limits/<int(max=2147483647):number>/confirm")
@requires(P.CIRCUIT_CONFIRM)
def confirm_limit(number: int) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            row = _one(queries.limits_page(current_actor()).history, number)
            services.confirm_limit(current_actor(), row.id, version=form.version_shown())
            flash("The limit holds from now on.", "success")
            return see_other(".limits")
    return _limits(form, number)


@bp.post("/finance/limits/<int(max=2147483647):number>/refuse")
@requires(P.CIRCUIT_CONFIRM)
def refuse_limit(number: int) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            row, why = _one(queries.limits_page(current_actor()).history, number), form.reason.data or ""
            services.refuse_limit(current_actor(), row.id, reason=why, version=form.version_shown())
            flash("The limit is refused.", "success")
            return see_other(".limits")
    return _limits(form, number)


@bp.post("/finance/limits/<int(max=2147483647):number>/withdraw")
@requires(P.CIRCUIT_SET)
def withdraw_limit(number: int) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            row = _one(queries.limits_page(current_actor()).history, number)
            services.withdraw_limit(current_actor(), row.id, version=form.version_shown())
            flash("The limit is withdrawn.", "success")
            return see_other(".limits")
    return _limits(form, number)


def _limits(sent: Form | None, number: int | None = None) -> Any:
    found = queries.limits_page(current_actor())
    asked = [each for each in found.history if each.number == number]
    newest = next(iter([*asked, *found.open, *found.history]), None)
    form = own_or_fresh(sent, LimitForm)
    assert isinstance(form, LimitForm), "one of its kind"
    shown = {"found": found, "propose_form": form.of(found.officers)}
    return _shown("payments/limits.html", sent, newest, found.open, "authority_limit", **shown)


def _one(history: tuple[RuleView, ...], number: int) -> RuleView:
    for each in history:
        if each.number == number:
            return each
    raise NotFound


def _forms_of(row: RuleView, sent: Form | None) -> tuple[ContestedForm, ReasonForm]:
    """The forms by which one proposal is confirmed or withdrawn, and refused."""
    version = {"version": str(row.version)}
    plain = sent if type(sent) is ContestedForm else ContestedForm(formdata=None, data=version)
    reason = sent if isinstance(sent, ReasonForm) else ReasonForm(formdata=None, data=version)
    return plain, reason


def _shown(
    template: str, sent: Form | None, newest: RuleView | None, waiting: Iterable[RuleView], kind: str, **values: Any
) -> Any:
    """The page of a rule that two people agree on, with what was sent as it was typed."""
    contested = sent if isinstance(sent, ContestedForm) else None
    if newest is not None:
        renew(contested, newest.version)
    shown = page(
        template,
        form=sent,
        contested=contested,
        last=overtaker(contested, kind, newest.id, f"{newest.number}") if newest else None,
        forms={each.number: _forms_of(each, sent if each is newest else None) for each in waiting},
        **values,
    )
    return shown, 200 if sent is None else status_of(contested) if contested else 422


@bp.get("/finance/stand-ins")
@requires(P.CIRCUIT_READ)
def stand_ins() -> Any:
    return _stand_ins(None)


@bp.post("/finance/stand-ins")
@requires(P.STAND_IN_APPOINT)
def appoint_stand_in() -> Any:
    found = queries.stand_ins_page(current_actor())
    form = StandInForm().of(found.holders, found.places)
    if form.validate_on_submit():
        with form.refusals():
            person = people.person_by_email(normal_email(str(form.email.data)))
            if person is None:
                raise Invalid(
                    "Nobody here has this address.", {"email": "Nobody here has this address. Invite them first."}
                )
            identity.appoint_stand_in(current_actor(), form.to_input(person.id), files.receive(form.file.data))
            flash(
                "The stand-in is appointed. Another administrator has to confirm it, on the page of roles.", "success"
            )
            return see_other(".stand_ins")
    return _stand_ins(form)


def _stand_ins(sent: StandInForm | None) -> Any:
    found = queries.stand_ins_page(current_actor())
    form = (sent or StandInForm(formdata=None)).of(found.holders, found.places)
    return page("payments/stand_ins.html", found=found, form=form), 422 if sent else 200


@bp.get("/finance/stand-ins/<sha256>/file")
@requires(P.CIRCUIT_READ)
def appointment(sha256: str) -> Any:
    """The written appointment."""
    for each, _ in queries.stand_ins_page(current_actor()).rows:
        if each.sha256 == sha256:
            return downloads.send(identity.open_appointment(current_actor(), each.id))
    raise NotFound
