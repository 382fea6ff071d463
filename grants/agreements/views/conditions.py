"""Pages of one condition of a preparation: answered with its evidence, accepted or returned."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AcceptForm,
    ReturnForm,
    about,
    condition_form,
)
from grants.agreements.rules import GrantView
from grants.agreements.states import AskedOf, ConditionStanding
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.core import files
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound
from grants.core.files import Incoming
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/grants/<ref>/preparation/<key>/<int(max=9999):place>", methods=["GET", "POST"])
@requires(P.AGREEMENT_READ)
def condition(ref: str, key: str, place: int) -> Any:
    """One part of a condition: what was answered and said of it; its form for whoever is asked."""
    grant, view, part = _part(ref, key, place)
    form = condition_form(grant, view, part, this_day()) if _answers(grant, view, part) else None
    if request.method == "POST" and form is None:
        raise NotAllowed(
            "Whoever is asked answers this condition, while the grant is in preparation; the power to sign also later."
        )
    if form is not None and form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                _answer(grant, view, part, form)
                flash("The answer is recorded. A colleague of the programme looks at it.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"condition-{key}")
        except Conflict as error:
            return _clashed(ref, key, place, form, error)
    return _condition(grant, view, part, answer=form)


def _answer(grant: GrantView, view: rules.ConditionView, part: rules.PartView, form: Any) -> None:
    act = services.state_condition if view.condition.asked_of is AskedOf.CITY else services.record_condition
    act(current_actor(), grant.id, form.given(view.key, part), incoming_of(form))


def incoming_of(form: Any) -> Incoming | None:
    """The evidence that came with a form, looked into; None where no file was chosen."""
    upload = request.files.get(form.file.name)
    if upload is None or not upload.filename:
        return None
    try:
        return files.receive(upload)
    except Invalid as error:
        raise Invalid("The file is not taken.", {form.file.name: str(error)}) from error


def _part(ref: str, key: str, place: int) -> tuple[GrantView, rules.ConditionView, rules.PartView]:
    """The part behind an address; not there for whoever may not read it."""
    grant = grant_of(ref)
    own = queries.reach_of(current_actor(), grant)
    view = next((each for each in queries.conditions(grant) if each.key.value == key), None)
    seen = view.seen_by(own) if view else None
    if seen is None:
        raise NotFound
    return grant, seen, seen.part(place)


def _answers(grant: GrantView, view: rules.ConditionView, part: rules.PartView) -> bool:
    """Whether this person answers it now: who reads it as one of its side."""
    if not rules.is_answered_in(grant.state, view.key) or (
        part.standing is ConditionStanding.NOT_ASKED and not part.answers
    ):
        return False
    actor, lies = current_actor(), queries.scope_of_view(grant)
    match view.condition.asked_of:
        case AskedOf.CITY:
            common = part.organisation_id is None and queries.reach_of(actor, grant) is not None
            return actor.may(P.AGREEMENT_ANSWER, lies) and not common
        case AskedOf.PROGRAMME:
            return actor.may(P.AGREEMENT_PREPARE, lies)
        case AskedOf.REGISTER:
            return False


def _judges(grant: GrantView, view: rules.ConditionView, part: rules.PartView) -> bool:
    """Whether this person accepts or returns the answer that stands: it waits, and is not their own."""
    waits = part.standing is ConditionStanding.ANSWERED and rules.is_answered_in(grant.state, view.key)
    prepares = current_actor().may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    return waits and prepares and part.answer is not None and part.answer.stated_by != current_actor().user_id


def _condition(
    grant: GrantView,
    view: rules.ConditionView,
    part: rules.PartView,
    *,
    answer: Any = None,
    accept: AcceptForm | None = None,
    give_back: ReturnForm | None = None,
    status: int = 422,
) -> Any:
    stands = {"about": about(part), "number": str(part.number)}
    sent = next((each for each in (accept, give_back, answer) if each is not None and each.is_submitted()), None)
    shown = page(
        "agreements/condition.html",
        grant=grant,
        view=view,
        part=part,
        answer=answer,
        judges=_judges(grant, view, part),
        accept=accept or AcceptForm(formdata=None, data=stands),
        give_back=give_back or ReturnForm(formdata=None, data=stands),
        today=this_day(),
    )
    return shown, 200 if sent is None else status


def _clashed(ref: str, key: str, place: int, form: Any, error: Conflict) -> Any:
    """What was typed comes back beside what stands now."""
    grant, view, part = _part(ref, key, place)
    form.problems.append(str(error))
    form.try_again(0)
    form.number.data, form.number.raw_data = str(part.number), None
    form.about.data, form.about.raw_data = about(part), None
    if isinstance(form, AcceptForm):
        return _condition(grant, view, part, answer=_fresh(grant, view, part), accept=form, status=409)
    if isinstance(form, ReturnForm):
        return _condition(grant, view, part, answer=_fresh(grant, view, part), give_back=form, status=409)
    return _condition(grant, view, part, answer=form, status=409)


def _fresh(grant: GrantView, view: rules.ConditionView, part: rules.PartView) -> Any:
    """The form of an answer beside another one that was sent."""
    if not _answers(grant, view, part):
        return None
    return condition_form(grant, view, part, this_day(), formdata=None)


@bp.post("/grants/<ref>/preparation/<key>/<int(max=9999):place>/accept")
@requires(P.AGREEMENT_PREPARE)
def accept_answer(ref: str, key: str, place: int) -> Any:
    (grant, view, part), form = _part(ref, key, place), AcceptForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                services.accept_answer(current_actor(), grant.id, form.given(view.key, part))
                flash("The answer is accepted.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"condition-{key}")
        except Conflict as error:
            return _clashed(ref, key, place, form, error)
    return _condition(grant, view, part, answer=_fresh(grant, view, part), accept=form)


@bp.post("/grants/<ref>/preparation/<key>/<int(max=9999):place>/return")
@requires(P.AGREEMENT_PREPARE)
def return_answer(ref: str, key: str, place: int) -> Any:
    (grant, view, part), form = _part(ref, key, place), ReturnForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                services.return_answer(current_actor(), grant.id, form.given(view.key, part))
                flash("The answer is returned. Whoever stated it is told by mail.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"condition-{key}")
        except Conflict as error:
            return _clashed(ref, key, place, form, error)
    return _condition(grant, view, part, answer=_fresh(grant, view, part), give_back=form)


@bp.get("/grants/<ref>/preparation/evidence/<sha256>")
@requires(P.AGREEMENT_READ)
def evidence(ref: str, sha256: str) -> Any:
    return send(services.open_evidence(current_actor(), grant_of(ref).id, sha256))
