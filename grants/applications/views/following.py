"""Pages of two-stage calls: the programme invites concepts, their leads start the full proposal."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, rules, services
from grants.applications.forms import FollowForm, InviteConceptsForm
from grants.applications.queries.privacy import notice_asked
from grants.applications.views.frame import bp
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/invitations")
@requires(Permission.CALL_MANAGE)
def stage_invitations(slug: str) -> Any:
    """The concepts of the first stage: who is invited, who may be, who has started."""
    call = _second_stage(slug)
    return _invitations_page(call, _invite_form(call))


@bp.post("/calls/<slug>/invitations")
@requires(Permission.CALL_MANAGE)
def invite_concepts(slug: str) -> Any:
    call = _second_stage(slug)
    form = _invite_form(call)
    if form.validate_on_submit():
        with form.refusals():
            number = services.invite_concepts(current_actor(), call.id, form.chosen(), form.note.data or "")
            flash(
                f"{number} {'concept is' if number == 1 else 'concepts are'} invited. Their leads are told by mail.",
                "success",
            )
            return see_other(".stage_invitations", slug=slug)
    return _invitations_page(call, form), 422


def _second_stage(slug: str) -> CallView:
    call = calls.call(current_actor(), slug)
    if not call.by_invitation:
        raise NotFound
    return call


def _invite_form(call: CallView) -> InviteConceptsForm:
    form = InviteConceptsForm()
    rows = [row for row in queries.concepts(current_actor(), call) if row.invitable]
    form.concepts.choices = choices((str(row.id), f"{row.reference}: {row.title}, {row.coordinator}") for row in rows)
    return form


def _invitations_page(call: CallView, form: InviteConceptsForm) -> str:
    rows = queries.concepts(current_actor(), call)
    return page("applications/stage_invitations.html", call=call, form=form, rows=rows, rules=rules)


@bp.route("/calls/<slug>/full-proposal/<ref>", methods=["GET", "POST"])
@requires(Permission.APPLICATION_START)
def full_proposal(slug: str, ref: str) -> Any:
    """Start the full proposal of an invited concept, and choose what of it is taken along."""
    actor, call = current_actor(), calls.call(current_actor(), slug)
    concept = queries.view(actor, ref)
    if concept.submission is None or not call.by_invitation or concept.call.id != call.follows_id:
        raise NotFound
    invited = next((each for each in queries.invited_to(actor, call.id) if each.concept_id == concept.id), None)
    partners, answers = queries.choices_of(concept, call)
    form = FollowForm.of(concept, partners, answers)
    if form.validate_on_submit():
        with form.refusals():
            started = services.start_invited(actor, call.id, concept.id, form.to_follow())
            flash("The full proposal is started, with what you took along from the concept.", "success")
            return see_other(".show", ref=started.reference)
    asked = notice_asked(None, call.id)
    form.ask_notice(asked)
    status = 422 if form.is_submitted() else 200
    return page(
        "applications/full_proposal.html",
        asked=asked,
        call=call,
        concept=concept,
        invited=invited,
        lead_gone=invited is None and queries.lead_is_gone(concept, queries.could_lead(concept)),
        is_team=queries.is_team(actor, concept.id),
        turned_away=concept.state not in rules.INVITABLE,
        form=form,
        open=call.is_open(clock.now()),
    ), status
