"""The page of the termination of a grant: proposed, objected to, confirmed or withdrawn, for both sides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    ObjectionForm,
    TerminationForm,
    WithdrawTerminationForm,
    confirm_termination_form,
    termination_form,
)
from grants.agreements.rules import GrantView, TerminationView
from grants.agreements.states import GrantState, Side
from grants.agreements.views.frame import P, bp, grant_of, own_side, this_day
from grants.agreements.views.holding import NOTICES
from grants.core.errors import Conflict, NotFound, Refused
from grants.web.downloads import send
from grants.web.forms import Form, received
from grants.web.routing import current_actor, page, requires, see_other

_NUMBER = "<int(max=9999):number>"


@bp.get("/grants/<ref>/termination")
@requires(P.AGREEMENT_READ)
def termination(ref: str) -> Any:
    """Every termination of a grant, for both sides."""
    return _shown(grant_of(ref))


@bp.post("/grants/<ref>/termination")
@requires(P.TERMINATION_PROPOSE)
def propose_termination(ref: str) -> Any:
    grant = grant_of(ref)
    form = termination_form(grant, this_day())
    if form.validate_on_submit():
        try:
            with form.refusals():
                notice = received(form.file, allowed=NOTICES)
                if notice is not None:
                    services.propose_termination(current_actor(), grant.id, form.to_input(), notice)
                    flash("The termination is proposed. Everybody of both sides is told by mail.", "success")
                    return see_other(".termination", ref=ref)
        except Conflict as error:
            form.problems.append(str(error))
            return _shown(grant_of(ref), form, 409)
    return _shown(grant, form)


@bp.route(f"/grants/<ref>/termination/{_NUMBER}/object", methods=["GET", "POST"])
@requires(P.TERMINATION_OBJECT)
def object_to_termination(ref: str, number: int) -> Any:
    grant, form = grant_of(ref), ObjectionForm()
    found = _numbered(grant, number)
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.object_to_termination(current_actor(), grant.id, number, words=str(form.words.data))
                flash("The objection is with whoever decides.", "success")
                return see_other(".termination", ref=ref)
        except Conflict as error:
            return _overtaken(ref, number, form, "object", error)
    return _step(grant, found, form, "object")


@bp.route(f"/grants/<ref>/termination/{_NUMBER}/confirm", methods=["GET", "POST"])
@requires(P.TERMINATION_CONFIRM)
def confirm_termination(ref: str, number: int) -> Any:
    grant = grant_of(ref)
    found = _numbered(grant, number)
    form = confirm_termination_form(found, this_day())
    if form.validate_on_submit() and form.effective_on.data:
        try:
            with form.refusals():
                effective_on, answer = form.effective_on.data, str(form.answer.data)
                services.confirm_termination(
                    current_actor(), grant.id, number, effective_on=effective_on, answer=answer
                )
                flash("The termination is confirmed. Everybody of both sides is told by mail.", "success")
                return see_other(".termination", ref=ref)
        except Conflict as error:
            return _overtaken(ref, number, form, "confirm", error)
    return _step(grant, found, form, "confirm")


@bp.route(f"/grants/<ref>/termination/{_NUMBER}/withdraw", methods=["GET", "POST"])
@requires(P.TERMINATION_PROPOSE)
def withdraw_termination(ref: str, number: int) -> Any:
    grant, form = grant_of(ref), WithdrawTerminationForm()
    found = _numbered(grant, number)
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.withdraw_termination(current_actor(), grant.id, number, words=str(form.words.data))
                flash("The termination is withdrawn. Everybody of both sides is told by mail.", "success")
                return see_other(".termination", ref=ref)
        except Conflict as error:
            return _overtaken(ref, number, form, "withdraw", error)
    return _step(grant, found, form, "withdraw")


@bp.get(f"/grants/<ref>/termination/{_NUMBER}/letter")
@requires(P.AGREEMENT_READ)
def termination_letter(ref: str, number: int) -> Any:
    return send(services.open_termination_letter(current_actor(), grant_of(ref).id, number))


@bp.get(f"/grants/<ref>/termination/{_NUMBER}/notice")
@requires(P.AGREEMENT_READ)
def termination_notice(ref: str, number: int) -> Any:
    return send(services.open_termination_notice(current_actor(), grant_of(ref).id, number))


def _numbered(grant: GrantView, number: int) -> TerminationView:
    found = next((each for each in grant.terminations if each.number == number), None)
    if found is None:
        raise NotFound
    return found


def _step(grant: GrantView, found: TerminationView, form: Form, step: str) -> Any:
    """The form of one step with a termination, and what is wrong with it."""
    shown = page("agreements/termination_step.html", grant=grant, found=found, form=form, step=step)
    return shown, 422 if form.is_submitted() else 200


def _overtaken(ref: str, number: int, form: Form, step: str, error: Conflict) -> Any:
    """Somebody decided meanwhile: the page says so, with what was typed."""
    form.problems.append(str(error))
    grant = grant_of(ref)
    return _step(grant, _numbered(grant, number), form, step)[0], 409


def _shown(grant: GrantView, typed: TerminationForm | None = None, status: int = 422) -> Any:
    actor, today, form = current_actor(), this_day(), typed
    scope = queries.scope_of_view(grant)
    side = own_side(grant)
    own = queries.speaks_for(actor, grant) if side is Side.CITY else frozenset()
    proposes = actor.may(P.TERMINATION_PROPOSE, scope)
    form = form or (termination_form(grant, today) if proposes and grant.state is GrantState.IN_FORCE else None)
    shown = page(
        "agreements/termination.html",
        grant=grant,
        today=today,
        side=side,
        proposes=proposes,
        objects={each.number for each in grant.terminations if _objects(grant, each, own)},
        letters=queries.termination_letters(grant.id),
        amends=actor.may(P.AMENDMENT_PROPOSE, scope) and grant.final_amount is None,
        confirms=actor.may(P.TERMINATION_CONFIRM, scope) and side is Side.PROGRAMME,
        form=form if form is not None and form.whose.choices else None,
        problem=typed,
    )
    return shown, status if typed is not None else 200


def _objects(grant: GrantView, found: TerminationView, own: frozenset[UUID]) -> bool:
    """Whether this person may object to it now; the act asks the same again."""
    actor, scope = current_actor(), queries.scope_of_view(grant)
    if not actor.may(P.TERMINATION_OBJECT, scope) or not found.may_object(this_day()):
        return False
    try:
        rules.refuse_objector(found, own_side(grant), own, for_coordinator=actor.may(P.REPORT_SUBMIT, scope))
    except Refused:
        return False
    return True
