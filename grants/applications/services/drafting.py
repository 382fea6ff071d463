"""Acts by which a draft is started and written: details, sections, budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import (
    AnswerInput,
    AnswerKept,
    BudgetInput,
    BudgetKept,
    DetailsInput,
    SectionInput,
    Started,
    StartInput,
)
from grants.applications.services.finding import make_findable, refresh_search_text
from grants.applications.services.privacy import note_acceptance
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.budgets import services as budgets
from grants.budgets.rules import Purpose
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.core.references import new_reference
from grants.dossiers import services as dossiers
from grants.dossiers.merging import SectionSaved
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import OrganisationView


@act("application.start", needs=Permission.APPLICATION_START, says="started application {subject}")
def start(actor: Actor, call_id: UUID, given: StartInput) -> Started:
    """A city officer starts an application in an open call and leads it."""
    hold_call(call_id)
    call = calls.call_by_id(call_id)
    rules.refuse_late(call, acts.moment())
    rules.refuse_uninvited(call)
    application = new_application(actor, call, given)
    return Started(application.id, application.reference)


def new_application(actor: Actor, call: CallView, given: StartInput) -> Application:
    """A draft of that call, led by this person for their organisation. Inside an act, which asked whether it may be."""
    details = given.details.checked()
    city = _leading_organisation(actor, given.organisation_id)
    application = Application(
        call_id=call.id,
        title=details.title,
        acronym=details.acronym or None,
        summary=details.summary or None,
        state=ApplicationState.DRAFT.value,
        origin=Origin.SUBMITTED_HERE.value,
        coordinator_id=city.id,
        search_text="",
        call_version=call.version_number,
        call_version_read=call.version_number,
    )
    application.dossier_id = dossiers.create("application", application.id, call.content.definition)
    application.budget_id = budgets.create(
        "application", application.id, Purpose.PLANNED, call.content.budget_rules, [city.id]
    )
    db.session.add(
        ApplicationPartner(
            application_id=application.id,
            organisation_id=city.id,
            position=0,
            role=PartnerRole.COORDINATOR.value,
            state=PartnerState.ACCEPTED.value,
            contact_user_id=actor.user_id,
            answered_at=acts.moment(),
        )
    )
    assert actor.user_id is not None, "only a person starts an application"
    people.give_role(actor.user_id, Role.APPLICATION_LEAD, kind="application", object_id=application.id)
    # Last, because applications started at one moment wait for each other here.
    application.reference = new_reference(call.programme.code, call.year, "A")
    make_findable(application, [city])
    db.session.add(application)
    db.session.flush()
    note_acceptance(actor, application.id, given.notice)
    return application


def hold_call(call_id: UUID) -> None:
    """Nobody moves the deadline or publishes a corrigendum until this act ends; many acts hold a call side by side."""
    db.session.execute(select(Call.id).where(Call.id == call_id).with_for_update(read=True, of=Call))


def _leading_organisation(actor: Actor, organisation_id: UUID) -> OrganisationView:
    if organisation_id not in actor.organisation_ids:
        raise Invalid(
            "You can start an application only for an organisation you belong to.",
            {"organisation_id": "Choose an organisation you belong to. Ask your administrator if yours is missing."},
        )
    city = identity.organisation(organisation_id)
    if city.kind not in rules.LEADING_KINDS:
        raise Refused(
            f"{city.name} is registered as “{city.kind.value}”. A local authority or city administration leads an application. "
            "Ask your city to start it and to invite you as a partner."
        )
    return city


def writable(application_id: UUID) -> tuple[Application, CallView]:
    """The locked application and its call, if anything may be written now; raises :class:`Refused`."""
    application = locked(Application, application_id)
    refuse_unwritable(application_id, ApplicationState(application.state))
    call = queries.call_of(application)
    rules.refuse_late(call, acts.moment())
    return application, call


def refuse_unwritable(application_id: UUID, state: ApplicationState) -> None:
    """What the rule refuses for ``state``, in words of the state its team reads."""
    if state not in rules.WRITABLE:
        rules.refuse_unwritable(queries.state_read_by_team(application_id))


def refuse_before_acceptance(actor: Actor, application_id: UUID) -> None:
    """Who was invited writes only after having agreed to take part."""
    gate = queries.gate(actor, application_id)
    refuse_unaccepted(gate.own, joins=gate.joins)


def refuse_other_part(actor: Actor, application_id: UUID, section_key: str) -> None:
    """A partner writes the sections asked of them, and nothing else of the answers."""
    gate = queries.gate(actor, application_id, section_key)
    refuse_unaccepted(gate.own, joins=gate.joins)
    _refuse_unasked(actor, application_id, gate.asked_id)


def _refuse_unasked(actor: Actor, application_id: UUID, asked_id: UUID | None) -> None:
    if queries.writes_section(actor, application_id, asked_id):
        return
    place = queries.workplace_of(queries.view_by_id(application_id))
    rules.refuse_other_part(writes=False, asked=place.person_name(asked_id))


def refuse_unaccepted(own: Sequence[tuple[str, PartnerState]], *, joins: bool) -> None:
    """By the organisations a person speaks for, and what was answered for each; or by the own invitation."""
    if any(state is PartnerState.ACCEPTED for _, state in own):
        return
    if joins:
        raise Refused(
            "Accept your invitation first: until then you can read the application and do nothing else in it."
        )
    for name, state in own:
        if state is PartnerState.INVITED:
            raise Refused(
                f"Accept the invitation of {name} first: until then you can read the application and not write in it."
            )
        if state is PartnerState.WAITING:
            raise Refused(
                f"You accepted for {name}, and somebody of that organisation must confirm it first: "
                "until then you can read the application and not write in it."
            )


@act(
    "application.edit_details",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="changed the details of application {subject}",
)
def edit_details(actor: Actor, application_id: UUID, given: DetailsInput, version: int | None = None) -> int:
    """Change title, short name and summary, for everybody else once it is sent; returns the new version."""
    application, _ = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    if not queries.writes_all(actor, application_id):
        raise Refused("Title and summary are written by the lead and the editors. Ask one of them to change it.")
    check_version(application, version)
    details = given.checked()
    written = (details.title, details.acronym or None, details.summary or None)
    if application.submission_id is None:
        application.title, application.acronym, application.summary = written
        refresh_search_text(application)
    else:
        stands = (application.title, application.acronym, application.summary)
        drafted = (None, None, None) if written == stands else written
        application.draft_title, application.draft_acronym, application.draft_summary = drafted
    db.session.flush()
    return application.version


@act(
    "application.save_section",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="wrote in application {subject}",
)
def save_section(actor: Actor, application_id: UUID, section_key: str, given: SectionInput) -> SectionSaved:
    """Save one section, whatever state it is in: all of it but what somebody else changed meanwhile, which comes back."""
    application, _ = writable(application_id)
    refuse_other_part(actor, application_id, section_key)
    assert application.dossier_id is not None, "what can be written in has answers"
    saved = dossiers.save_section(application.dossier_id, section_key, given.answers, given.shown)
    if given.mark is None:
        return saved
    return replace(saved, version=dossiers.mark_section(application.dossier_id, section_key, given.mark))


@act(
    "application.save_answer",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="wrote an answer in application {subject}",
)
def save_answer(actor: Actor, application_id: UUID, section_key: str, given: AnswerInput) -> AnswerKept:
    """Save one answer while its writer goes on, by the rules of :func:`save_section`; the same text again is nothing new.

    It happens every few seconds of writing, so it asks and writes little: seven statements. Raises
    :class:`grants.dossiers.merging.AnswerChanged` with both texts where somebody else was quicker.
    """
    gate = queries.gate(actor, application_id, section_key)
    refuse_unwritable(application_id, gate.state)
    rules.refuse_late(gate.times, acts.moment())
    refuse_unaccepted(gate.own, joins=gate.joins)
    _refuse_unasked(actor, application_id, gate.asked_id)
    assert gate.dossier_id is not None, "what can be written in has answers"
    saved = dossiers.save_answer(gate.dossier_id, section_key, given.question, given.values, given.number)
    return AnswerKept(saved, gate.times.zone)


@act(
    "application.save_budget",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="changed the budget of application {subject}",
)
def save_budget(actor: Actor, application_id: UUID, given: BudgetInput) -> BudgetKept:
    """Save amounts, one cell while its writer goes on or a whole table; what somebody else changed comes back.

    A partner writes the rows of the own organisation, others are left as they are. It happens every few seconds of
    typing, so it asks and writes little: six statements, or eight where cells are new and others change.
    """
    gate = queries.gate(actor, application_id)
    refuse_unwritable(application_id, gate.state)
    rules.refuse_late(gate.times, acts.moment())
    refuse_unaccepted(gate.own, joins=gate.joins)
    assert gate.budget_id is not None, "what can be written in has a budget"
    own = [place for place, cell in enumerate(given.cells) if gate.writes_row(cell.organisation_id)]
    cells = [given.cells[place] for place in own]
    shown = None if given.shown is None else [given.shown[place] for place in own]
    return BudgetKept(budgets.write_cells(gate.budget_id, cells, shown), gate.times.zone)
