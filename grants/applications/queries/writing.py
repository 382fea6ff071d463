"""The workplace of a team: what is written, what is still missing, what would be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import Application, ApplicationPartner
from grants.applications.queries.reach import is_team
from grants.applications.queries.whole import view
from grants.applications.rules import ApplicationView, Issue, PartnerView, SubmittedFile
from grants.applications.states import ApplicationState, PartnerState
from grants.budgets import queries as budget_queries
from grants.budgets import rules as budget_rules
from grants.budgets.queries import BudgetView
from grants.calls import queries as call_queries
from grants.calls.rules import CallTimes
from grants.core import files
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader
from grants.dossiers import queries as dossier_queries
from grants.dossiers import rules as dossier_rules
from grants.dossiers.queries import DossierView
from grants.dossiers.rules import DossierContent
from grants.identity import queries as identity_queries
from grants.identity.models import Organisation
from grants.identity.rules import Person
from grants.identity.states import OrganisationKind

# Administrations whose normal work and recoverable VAT no grant pays (domain.md B-08, B-09).
PUBLIC_KINDS = frozenset({OrganisationKind.MUNICIPALITY, OrganisationKind.METROPOLE})


@dataclass(frozen=True, slots=True)
class Workplace:
    """Everything the task list, the check page and the pages of the team show."""

    application: ApplicationView
    dossier: DossierView
    budget: BudgetView
    files: tuple[FileView, ...]
    people: Mapping[UUID, Person]
    issues: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    fingerprint: str

    @property
    def changed_since_submission(self) -> bool:
        """Whether a newer draft exists than what was submitted."""
        submitted = self.application.submission
        return submitted is not None and submitted.sha256 != self.fingerprint

    @property
    def file_names(self) -> dict[str, str]:
        """Names of attached files by id as text, for file questions."""
        return {str(file.id): file.name for file in self.files}

    def person_name(self, user_id: UUID | None) -> str:
        """The name of whoever saved something."""
        found = self.people.get(user_id) if user_id else None
        return found.name if found else ""


def workplace(actor: Actor, reference: str) -> Workplace:
    """The application as its team sees it; :class:`NotFound` for everybody else."""
    application = view(actor, reference)
    if not is_team(actor, application.id) or application.dossier_id is None or application.budget_id is None:
        raise NotFound
    return workplace_of(application)


def budget_of(actor: Actor, reference: str) -> BudgetView:
    """The budget alone as its team sees it; :class:`NotFound` for everybody else."""
    application = view(actor, reference)
    if not is_team(actor, application.id) or application.budget_id is None:
        raise NotFound
    return _budget(application, application.budget_id)


def _budget(application: ApplicationView, budget_id: UUID) -> BudgetView:
    public = {each.organisation_id for each in application.partners if each.kind in PUBLIC_KINDS}
    return budget_queries.budget(budget_id, application.organisation_names, public)


def workplace_of(application: ApplicationView) -> Workplace:
    """Answers, budget, files and every problem of an application with a draft."""
    assert application.dossier_id is not None and application.budget_id is not None
    dossier = dossier_queries.dossier(application.dossier_id)
    budget = _budget(application, application.budget_id)
    attached = files.listed("application", application.id)
    savers = set(dossier.writers)
    savers |= {user_id for user_id in (budget.saved_by, *(file.created_by for file in attached)) if user_id}
    if application.submission:
        savers.add(application.submission.submitted_by)
    content = snapshot_of(application, dossier, budget, attached)
    return Workplace(
        application=application,
        dossier=dossier,
        budget=budget,
        files=attached,
        people=identity_queries.people(savers),
        issues=issues_of(application, dossier, budget, attached),
        warnings=warnings_of(dossier, budget),
        fingerprint=rules.digest(content).hex(),
    )


def issues_of(
    application: ApplicationView, dossier: DossierView, budget: BudgetView, attached: Sequence[FileView]
) -> tuple[Issue, ...]:
    """Everything that stops the sending, in the order of the task list."""
    titles = {section.key: section.section.title for section in dossier.sections}
    return (
        *rules.team_issues(application.partners),
        *rules.section_issues(dossier.problems, titles),
        *rules.budget_issues(budget.problems),
        *rules.attachment_issues(application.call.content.attachments, frozenset(file.role for file in attached)),
    )


def warnings_of(dossier: DossierView, budget: BudgetView) -> tuple[Issue, ...]:
    """What should be looked at before sending, but does not stop it."""
    unmarked = tuple(
        Issue(
            rules.Page.SECTION,
            "Nobody has marked this section as finished.",
            section.section.title,
            section.key,
        )
        for section in dossier.open_marks
    )
    return (*unmarked, *rules.budget_issues(budget.warnings))


def snapshot_of(
    application: ApplicationView, dossier: DossierView, budget: BudgetView, attached: Sequence[FileView]
) -> dict[str, Any]:
    """What would be submitted now, as plain JSON."""
    organisations = identity_queries.organisations(partner.organisation_id for partner in application.partners)
    answers = tuple(question.answer for section in dossier.sections for question in section.questions)
    return rules.snapshot(
        view=application,
        members=[organisations[partner.organisation_id] for partner in application.partners],
        dossier=dossier_rules.to_mapping(DossierContent(dossier.definition, answers)),
        budget=budget_rules.to_mapping(budget.content),
        files=[
            SubmittedFile(file.id, file.role, file.name, file.media_type, file.size_bytes, file.sha256)
            for file in attached
        ],
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides whether a person may write in an application now, and where what is written belongs."""

    state: ApplicationState
    dossier_id: UUID | None
    budget_id: UUID | None
    times: CallTimes
    own: tuple[tuple[str, PartnerState], ...]
    # The organisations this person speaks for and accepted for; everybody's where the person leads.
    organisations: frozenset[UUID]
    leads: bool

    def writes_row(self, organisation_id: UUID) -> bool:
        """Whether the person may write this organisation's part of the budget."""
        return self.leads or organisation_id in self.organisations


@reader
def gate(actor: Actor, application_id: UUID) -> Asking[Gate]:
    """The application's state, its call's times, and what was answered for each partner this person speaks for.

    One statement, for an act that holds the application's lock by its scope.
    """
    place = select(Application.state, Application.dossier_id, Application.budget_id, Application.call_id).where(
        Application.id == application_id
    )
    of_call = select(Application.call_id).where(Application.id == application_id).scalar_subquery()
    answers = (
        select(Organisation.name, ApplicationPartner.state, ApplicationPartner.organisation_id)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(ApplicationPartner.application_id == application_id, ApplicationPartner.contact_user_id == actor.user_id)
        .order_by(ApplicationPartner.position, ApplicationPartner.id)
    )
    times, (found, own) = yield from both(call_queries.times_of.asking(of_call), both(ask(place), ask(answers)))
    if not found:
        raise NotFound
    return Gate(
        state=ApplicationState(found[0].state),
        dossier_id=found[0].dossier_id,
        budget_id=found[0].budget_id,
        times=times,
        own=tuple((row.name, PartnerState(row.state)) for row in own),
        organisations=frozenset(row.organisation_id for row in own if row.state == PartnerState.ACCEPTED.value),
        leads=actor.may(
            Permission.APPLICATION_INVITE, Scope.of(("application", application_id), ("call", found[0].call_id))
        ),
    )


def leads(actor: Actor, application: ApplicationView) -> bool:
    """Whether this person answers for the whole application."""
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    return actor.may(Permission.APPLICATION_INVITE, scope)


def own_rows(actor: Actor, application: ApplicationView) -> frozenset[UUID]:
    """The budget rows this person may write: the lead all, a partner those of the own organisation."""
    if leads(actor, application):
        return frozenset(partner.organisation_id for partner in application.partners)
    return frozenset(
        p.organisation_id
        for p in application.partners
        if p.contact_id == actor.user_id and p.state is PartnerState.ACCEPTED
    )


def invitations(actor: Actor, application: ApplicationView) -> tuple[PartnerView, ...]:
    """The invitations this person has not answered yet, or answered and waits for the organisation."""
    return tuple(
        partner
        for partner in application.partners
        if partner.contact_id == actor.user_id and partner.state in (PartnerState.INVITED, PartnerState.WAITING)
    )


def invitation(actor: Actor, application: ApplicationView) -> PartnerView | None:
    """What keeps this person from writing: an open invitation, unless they speak for another organisation already."""
    if any(p.contact_id == actor.user_id and p.state is PartnerState.ACCEPTED for p in application.partners):
        return None
    return next(iter(invitations(actor, application)), None)
