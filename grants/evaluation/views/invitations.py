"""Pages of asking somebody into a pool: the programme invites, the person answers."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.calls import queries as calls
from grants.calls.rules.expert_terms import TermsView
from grants.core import clock
from grants.core.errors import NotFound
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import AnswerForm, DeclineForm, InviteForm, WhyForm, profile_form
from grants.evaluation.rules import InvitationView
from grants.evaluation.states import PoolState
from grants.evaluation.views.frame import P, bp
from grants.web import mailing
from grants.web.forms import ContestedForm, choices, status_of
from grants.web.routing import current_actor, page, requires, see_other, signed_in


@bp.route("/calls/<slug>/evaluators/invite", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def invite(slug: str) -> Any:
    """Ask somebody into the pool by mail."""
    call = queries.call_to_assign(current_actor(), slug)
    form = InviteForm(data={name: request.args.get(name, "")[:200] for name in ("email", "name")})
    form.roles.choices = choices((role, role.capitalize()) for role in queries.roles_asked(call))
    if form.validate_on_submit():
        with form.refusals():
            services.invite(current_actor(), call.id, form.to_input())
            flash(mailing.mailed(f"The invitation to {' '.join(str(form.name.data).split())}"), "success")
            return see_other(".pool", slug=slug)
    known = queries.asked_already(call.id, form.email.data or "") if form.is_submitted() else None
    return page("evaluation/invite.html", call=call, form=form, known=known), status_of(form)


def _asked(slug: str, handle: str) -> InvitationView:
    call = queries.call_to_assign(current_actor(), slug)
    found = queries.pool_person(current_actor(), call, handle).invitation
    if found is None:
        raise NotFound
    return found


@bp.post("/calls/<slug>/evaluators/<handle>/remind")
@requires(P.ASSIGNMENT_DECIDE)
def remind(slug: str, handle: str) -> Any:
    """Send the invitation once more."""
    form, asked = ContestedForm(), _asked(slug, handle)
    if form.validate_on_submit():
        with form.refusals():
            services.remind(current_actor(), asked.id)
            flash(f"{asked.name} is reminded by mail.", "success")
    for sentence, _ in form.what_is_wrong():
        flash(sentence, "warning")
    return see_other(".pool_person", slug=slug, handle=handle)


@bp.route("/calls/<slug>/evaluators/<handle>/withdraw-invitation", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def withdraw_invitation(slug: str, handle: str) -> Any:
    """Take back an invitation nobody answered."""
    asked = _asked(slug, handle)
    form = WhyForm(version=str(asked.version))
    if form.validate_on_submit():
        with form.attempt():
            services.withdraw_invitation(current_actor(), asked.id, form.reason.data or "", form.version_shown())
            flash(f"The invitation of {asked.name} is withdrawn; they are told by mail.", "success")
            return see_other(".pool_person", slug=slug, handle=handle)
        asked = _asked(slug, handle)
    if form.clashed:
        form.comes_again(asked.version)
    return page("evaluation/withdraw_invitation.html", asked=asked, form=form, slug=slug), status_of(form)


@bp.route("/calls/<slug>/invitation", methods=["GET", "POST"])
@signed_in
def invitation(slug: str) -> Any:
    """What the programme asks of this person; answered here, whatever their roles."""
    asked = queries.own_invitation(current_actor(), slug)
    terms, topics = _about(asked)
    form = profile_form(AnswerForm, topics)
    if not form.is_submitted():
        form.begun(asked.entry)
        form.version.data, form.terms.data = str(asked.version), str(terms.number) if terms else ""
    form.asked(asked.entry.load_max, terms)
    if form.validate_on_submit():
        with form.attempt():
            services.accept_invitation(
                current_actor(), asked.call_id, form.to_input(), form.number(), form.ticked(), form.version_shown()
            )
            flash(f"You are in the pool of {asked.call_title}. Declare your conflicts of interest next.", "success")
            return see_other(".conflicts")
        asked = queries.own_invitation(current_actor(), slug)
        terms, topics = _about(asked)
        # A version published meanwhile stands on the page now, and is accepted in sight of it.
        form.terms.data, form.terms.raw_data = str(terms.number) if terms else "", None
    if form.clashed:
        form.comes_again(asked.version)
    return _invitation_page(asked, terms, form, DeclineForm(formdata=None, version=str(asked.version))), status_of(form)


def _about(asked: InvitationView) -> tuple[TermsView | None, tuple[tuple[str, str], ...]]:
    newest = next(iter(calls.expert_terms(asked.call_id)), None)
    topics = rules.topic_choices(calls.call_by_id(asked.call_id).content.definition)
    return newest if newest is not None and newest.text is not None else None, topics


def _invitation_page(asked: InvitationView, terms: TermsView | None, form: AnswerForm, declining: DeclineForm) -> str:
    state = asked.standing(clock.now())
    return page(
        "evaluation/invitation.html", asked=asked, terms=terms, form=form, declining=declining, state=state,
        is_open=state in (PoolState.INVITED, PoolState.AGREED),
    )  # fmt: skip


@bp.post("/calls/<slug>/invitation/decline")
@signed_in
def decline_invitation(slug: str) -> Any:
    """The person says no, and why."""
    asked = queries.own_invitation(current_actor(), slug)
    declining = DeclineForm()
    if declining.validate_on_submit():
        with declining.attempt():
            services.decline_invitation(
                current_actor(), asked.call_id, *declining.why(), version=declining.version_shown()
            )
            flash("Your answer is stored. Thank you for saying so.", "success")
            return see_other(".invitation", slug=slug)
        asked = queries.own_invitation(current_actor(), slug)
    if declining.clashed:
        declining.comes_again(asked.version)
    terms, topics = _about(asked)
    form = profile_form(AnswerForm, topics)
    form.begun(asked.entry)
    form.version.data, form.terms.data = str(asked.version), str(terms.number) if terms else ""
    return _invitation_page(asked, terms, form, declining), status_of(declining)
