"""Acts of two-stage calls: concepts are invited, and whoever led one starts the full proposal with what it takes along."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from grants.applications import queries, rules
from grants.applications.models import Application, ApplicationPartner, StageInvitation
from grants.applications.rules import ApplicationView, FollowInput, PartnerView, Started, StartInput
from grants.applications.services.drafting import hold_call, new_application, refresh_search_text
from grants.applications.states import ApplicationState, PartnerRole, PartnerState
from grants.budgets import services as budgets
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.rules.saying import closes_said
from grants.calls.states import CallState
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role


@act(
    "stage.invite",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="invited concepts to the second stage {subject}",
)
def invite_concepts(actor: Actor, call_id: UUID, concept_ids: Iterable[UUID], note: str = "") -> int:
    """Invite concepts to write a full proposal; the teams of their leads get a mail. Returns how many were invited."""
    call = calls.call_by_id(call_id)
    if not call.by_invitation or call.state is not CallState.PUBLISHED:
        raise Refused("Only a published call that is the second of two stages invites concepts.")
    wanted = tuple(dict.fromkeys(concept_ids))
    if not wanted:
        raise Invalid("Nobody was invited.", {"concepts": "Choose at least one concept."})
    known = {row.id: row for row in queries.concepts(actor, call)}
    for concept_id in sorted(wanted):
        faults.point("conflict")
        if concept_id not in known:
            raise NotFound
        _invite(call, concept_id, note.strip())
    acts.subject("call", call_id)
    return len(wanted)


def _invite(call: CallView, concept_id: UUID, note: str) -> None:
    row = locked(Application, concept_id)
    rules.refuse_not_invitable(ApplicationState(row.state), row.reference, untold=queries.is_untold(concept_id))
    if queries.stage_invitation(call.id, concept_id) is not None:
        raise Refused(f"{row.reference} is invited already.")
    db.session.add(StageInvitation(call_id=call.id, concept_id=concept_id, note=note or None))
    concept = queries.view_by_id(concept_id)
    people.mail(
        _told_of_invitation(concept),
        "stage_invited",
        "application",
        concept_id,
        reference=concept.reference,
        title=concept.title,
        call_title=call.title,
        slug=call.slug,
        opens_at=rules.said(call.opens_at, call.zone) if call.opens_at else "",
        closes_at=closes_said(call),
        note=note,
    )


def _told_of_invitation(concept: ApplicationView) -> list[UUID]:
    """Whoever leads the concept; where the lead is gone everybody of the team, so that it can ask for another."""
    if queries.lead_is_gone(concept, queries.could_lead(concept)):
        return sorted(member.user_id for member in queries.team(concept) if member.joined)
    return [partner.contact_id for partner in concept.partners if partner.contact_id and partner.leads]


@act(
    "application.start_invited",
    needs=Permission.APPLICATION_START,
    says="started the full proposal {subject} of an invited concept",
)
def start_invited(actor: Actor, call_id: UUID, concept_id: UUID, given: FollowInput) -> Started:
    """The lead of an invited concept, and nobody else of its team or city, starts the full proposal once, with the
    partners and answers they chose.
    """
    row = locked(Application, concept_id)
    # Whoever does not see the concept is told nothing of it.
    queries.id_of(actor, row.reference)
    # Shared with others who start: a cancellation, a moved deadline or a corrigendum comes before it or after it.
    hold_call(call_id)
    call = calls.call_by_id(call_id)
    rules.refuse_late(call, acts.moment())
    # An outcome that no letter told keeps nobody from what they were invited to.
    concept = queries.view_for_team(concept_id)
    invitation = queries.stage_invitation(call_id, concept_id)
    if invitation is None:
        raise Refused(f"{concept.reference} was not invited to this call. Ask the programme if you think it was.")
    rules.refuse_not_leading(
        leads=concept_id in actor.places(Permission.APPLICATION_SUBMIT, "application"),
        organisation_ids=actor.organisation_ids,
        coordinator_id=row.coordinator_id,
        coordinator=concept.coordinator.name,
        lead=concept.coordinator.contact_name,
    )
    if concept.state not in rules.INVITABLE:
        raise Refused(
            f"{concept.reference} was turned away since it was invited, so no full proposal can follow it. "
            "Ask the programme if you think that is wrong."
        )
    if invitation.started_id is not None:
        reference = queries.view_by_id(invitation.started_id).reference
        raise Refused(
            f"The full proposal of {concept.reference} was started already: {reference}. Go on with that one."
        )
    application = new_application(actor, call, StartInput(row.coordinator_id, given.details, given.notice))
    db.session.flush()
    invitation.started_id = application.id
    _take_answers(application, concept_id, call, given.questions)
    for partner in concept.partners:
        if partner.organisation_id in given.organisations and not partner.leads:
            _ask_again(actor, application, call, partner)
    refresh_search_text(application)
    return Started(application.id, application.reference)


def _take_answers(application: Application, concept_id: UUID, call: CallView, questions: Iterable[str]) -> None:
    """Answers of the version of the concept that stands, where they fit and were chosen."""
    content = queries.submitted_content(concept_id)
    answers = {answer.question: answer for answer in content.dossier.answers}
    wanted = set(questions)
    fitting = rules.carried(content.dossier.definition, call.content.definition, answers)
    assert application.dossier_id is not None, "a draft has answers"
    for section in call.content.definition.sections:
        chosen = [answer for key, question, answer in fitting if key == section.key and question.key in wanted]
        if chosen:
            dossiers.save_section(application.dossier_id, section.key, chosen, None)


def _ask_again(actor: Actor, application: Application, call: CallView, partner: PartnerView) -> None:
    """A partner of the concept is invited to the full proposal; nothing is agreed before they answer."""
    if partner.contact_id is None or partner.state is not PartnerState.ACCEPTED:
        return
    people.refuse_staff(partner.contact_id)
    db.session.add(
        ApplicationPartner(
            application_id=application.id,
            organisation_id=partner.organisation_id,
            position=len(queries.partners(application.id)),
            role=PartnerRole.PARTNER.value,
            state=PartnerState.INVITED.value,
            contact_user_id=partner.contact_id,
            invited_name=partner.contact_name,
            invited_at=acts.moment(),
        )
    )
    people.give_role(partner.contact_id, Role.APPLICATION_PARTNER, kind="application", object_id=application.id)
    assert application.budget_id is not None, "a draft has a budget"
    db.session.flush()
    budgets.add_organisation(application.budget_id, partner.organisation_id)
    people.mail(
        [partner.contact_id],
        "application_invitation",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        invited_by=actor.name,
        organisation=identity.organisation(partner.organisation_id).name,
        closes_at=closes_said(call),
        tasks=[],
    )
