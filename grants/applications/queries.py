"""Reads of applications: each takes the person who asks and leaves out what they may not see, counts and searches included.

The team of an application sees its draft. Staff see what was submitted, from the last submission
on, and never an unsent draft. A panel sees an application only after declaring that no conflict
stands before it. Whoever is barred sees nothing, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from grants.applications import rules
from grants.applications.models import (
    Application,
    ApplicationPartner,
    EligibilityCheck,
    EligibilityResult,
    Submission,
)
from grants.applications.rules import (
    ApplicationRow,
    ApplicationView,
    CityFact,
    ConditionAnswer,
    ConditionView,
    Desk,
    Issue,
    ListFilter,
    PartnerView,
    SubmissionView,
    SubmittedContent,
    SubmittedFile,
)
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState, Verdict
from grants.budgets import queries as budget_queries
from grants.budgets import rules as budget_rules
from grants.budgets.queries import BudgetView
from grants.budgets.rules import BudgetContent
from grants.calls import queries as call_queries
from grants.calls.models import Call, CallDeadline
from grants.cities.models import City, Participation
from grants.core import files
from grants.core.db import db, get, locked
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import fold
from grants.dossiers import queries as dossier_queries
from grants.dossiers import rules as dossier_rules
from grants.dossiers.queries import DossierView
from grants.dossiers.rules import DossierContent
from grants.identity import queries as identity_queries
from grants.identity.models import Organisation, User
from grants.identity.rules import Person
from grants.identity.states import OrganisationKind

LIST_ROWS_MAX = 200
FOR_CALL_MAX = 2_000
DUTIES_MAX = 50


# --- scope and sight ------------------------------------------------------------------------------------------


def scope_of(application_id: UUID) -> Scope:
    """Where an application lies, read under its lock: itself and its call."""
    row = locked(Application, application_id)
    return Scope.of(("application", row.id), ("call", row.call_id))


def is_team(actor: Actor, application_id: UUID) -> bool:
    """Whether the person belongs to this application itself, and so sees its draft."""
    return application_id in actor.places(Permission.APPLICATION_READ, "application")


# How one sees that a person declared no conflict with an application: a later stage (evaluation) says it, once.
_declared_clear: list[Callable[[UUID | None], ColumnElement[bool]]] = []


def opens_when(declared_clear: Callable[[UUID | None], ColumnElement[bool]]) -> None:
    """Take the condition on :class:`Application` under which it opens to a person who must declare conflicts."""
    _declared_clear[:] = [declared_clear]


def _declared(actor: Actor) -> ColumnElement[bool]:
    """Whoever must declare conflicts reads what they declared clear of, and what was published elsewhere; else nothing."""
    clear = [condition(actor.user_id) for condition in _declared_clear]
    return or_(Application.origin == Origin.PUBLISHED_OUTCOME.value, *(clear or [false()]))


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition every list, count and search of applications carries."""
    own = Application.id.in_(actor.places(Permission.APPLICATION_READ, "application"))
    sent = or_(Application.submission_id.is_not(None), Application.origin == Origin.PUBLISHED_OUTCOME.value)
    staff: ColumnElement[bool] = Application.call_id.in_(actor.places(Permission.APPLICATION_READ, "call"))
    if actor.everywhere(Permission.APPLICATION_READ):
        staff = Application.id.is_not(None)
    if actor.can(Permission.CONFLICT_DECLARE):
        staff = and_(staff, _declared(actor))
    return and_(or_(own, and_(staff, sent)), *not_barred(actor))


def not_barred(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Applications this person is not kept from, by themselves or by their call."""
    barred, calls = actor.barred("application"), actor.barred("call")
    found: list[ColumnElement[bool]] = []
    if barred:
        found.append(Application.id.not_in(barred))
    if calls:
        found.append(Application.call_id.not_in(calls))
    return tuple(found)


def id_of(actor: Actor, reference: str) -> UUID:
    """The id of an application this person may see; :class:`NotFound` for every other."""
    found = db.session.scalar(select(Application.id).where(Application.reference == reference, visible(actor)))
    if found is None:
        raise NotFound
    return found


def team_id_of(actor: Actor, reference: str) -> UUID:
    """The id of an application this person writes in; :class:`NotFound` for every other."""
    application_id = id_of(actor, reference)
    if not is_team(actor, application_id):
        raise NotFound
    return application_id


# --- one application ------------------------------------------------------------------------------------------


def view(actor: Actor, reference: str) -> ApplicationView:
    """One application with its call and consortium; :class:`NotFound` where this person may not see it."""
    row = db.session.scalars(
        select(Application).where(Application.reference == reference, visible(actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    return view_of(row)


def view_by_id(application_id: UUID) -> ApplicationView:
    """The same for acts and later stages, which have checked the scope."""
    return view_of(get(Application, application_id))


def view_of(row: Application) -> ApplicationView:
    """A row as the frozen view."""
    submission = _submission(row.submission_id) if row.submission_id else None
    return ApplicationView(
        id=row.id,
        version=row.version,
        reference=row.reference,
        title=row.title,
        acronym=row.acronym,
        summary=row.summary,
        state=ApplicationState(row.state),
        origin=Origin(row.origin),
        source_url=row.source_url,
        synthetic_note=row.synthetic_note,
        call=call_queries.call_by_id(row.call_id),
        coordinator_id=row.coordinator_id,
        partners=partners(row.id),
        dossier_id=row.dossier_id,
        budget_id=row.budget_id,
        submission=submission,
        requested=row.requested,
        withdrawn_at=row.withdrawn_at,
        created_at=row.created_at,
    )


def partners(application_id: UUID) -> tuple[PartnerView, ...]:
    """The consortium in its order, the coordinator first."""
    rows = db.session.execute(
        select(ApplicationPartner, Organisation, User.name, User.email)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .outerjoin(User, User.id == ApplicationPartner.contact_user_id)
        .where(ApplicationPartner.application_id == application_id)
        .order_by(ApplicationPartner.position, ApplicationPartner.id)
    ).all()
    return tuple(_partner(partner, organisation, name, email) for partner, organisation, name, email in rows)


def _partner(
    partner: ApplicationPartner, organisation: Organisation, name: str | None, email: str | None
) -> PartnerView:
    return PartnerView(
        organisation_id=organisation.id,
        name=organisation.name,
        kind=OrganisationKind(organisation.kind),
        country_code=organisation.country_code,
        pic=organisation.pic,
        role=PartnerRole(partner.role),
        state=PartnerState(partner.state),
        contact_id=partner.contact_user_id,
        contact_name=name,
        contact_email=email,
        invited_at=partner.invited_at,
        answered_at=partner.answered_at,
    )


_SUBMISSION_COLUMNS = (
    Submission.id,
    Submission.number,
    Submission.receipt_number,
    Submission.submitted_at,
    Submission.submitted_by,
    Submission.closes_at,
    Submission.sha256,
    Submission.requested,
)


def _submission(submission_id: UUID) -> SubmissionView:
    row = db.session.execute(select(*_SUBMISSION_COLUMNS).where(Submission.id == submission_id)).one()
    return _submission_view(row)


def _submission_view(row: Any) -> SubmissionView:
    return SubmissionView(
        id=row.id,
        number=row.number,
        receipt_number=row.receipt_number,
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        closes_at=row.closes_at,
        sha256=row.sha256.hex(),
        requested=row.requested,
    )


def submissions(actor: Actor, reference: str) -> tuple[SubmissionView, ...]:
    """Every submitted version, newest first, at most 200: the last one stands, the others are kept."""
    rows = db.session.execute(
        select(*_SUBMISSION_COLUMNS)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference, visible(actor))
        .order_by(Submission.number.desc())
        .limit(LIST_ROWS_MAX)
    ).all()
    return tuple(_submission_view(row) for row in rows)


def submission_by_id(submission_id: UUID) -> SubmissionView:
    """One submitted version for jobs (the receipt), which run as the person who sent it."""
    return _submission(submission_id)


# --- the team's workplace -------------------------------------------------------------------------------------


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


def workplace_of(application: ApplicationView) -> Workplace:
    """Answers, budget, files and every problem of an application with a draft."""
    assert application.dossier_id is not None and application.budget_id is not None
    dossier = dossier_queries.dossier(application.dossier_id)
    budget = budget_queries.budget(application.budget_id, application.organisation_names)
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
        budget=budget_rules.to_mapping(BudgetContent(budget.rules, budget.organisations, budget.cells)),
        files=[
            SubmittedFile(file.id, file.role, file.name, file.media_type, file.size_bytes, file.sha256)
            for file in attached
        ],
    )


def own_rows(actor: Actor, application: ApplicationView) -> frozenset[UUID]:
    """The budget rows this person may write: the lead all, a partner those of the own organisation."""
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    if actor.may(Permission.APPLICATION_INVITE, scope):
        return frozenset(partner.organisation_id for partner in application.partners)
    return frozenset(p.organisation_id for p in application.partners if p.contact_id == actor.user_id)


def invitation(actor: Actor, application: ApplicationView) -> PartnerView | None:
    """The invitation this person has not answered yet."""
    for partner in application.partners:
        if partner.contact_id == actor.user_id and partner.state is PartnerState.INVITED:
            return partner
    return None


# --- what was submitted ---------------------------------------------------------------------------------------


def submitted_content(application_id: UUID) -> SubmittedContent:
    """The frozen version that stands, for evaluators, decisions and agreements; :class:`NotFound` without one.

    The stage that shows it has checked who may read it.
    """
    row = db.session.scalars(
        select(Submission)
        .join(Application, Application.submission_id == Submission.id)
        .where(Application.id == application_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return content_of(row)


def submitted_version(actor: Actor, reference: str, number: int) -> SubmittedContent:
    """One submitted version by its number."""
    row = db.session.scalars(
        select(Submission)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference, Submission.number == number, visible(actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    return content_of(row)


def content_of(row: Submission) -> SubmittedContent:
    return rules.read_snapshot(
        row.content,
        application_id=row.application_id,
        number=row.number,
        submitted_at=row.submitted_at,
        sha256=row.sha256,
    )


def file_of(actor: Actor, reference: str, sha256: str) -> FileView:
    """An attached file by its content: one that stands with the draft, for the team, or one that was submitted."""
    application_id = id_of(actor, reference)
    if is_team(actor, application_id):
        for file in files.listed("application", application_id):
            if file.sha256 == sha256:
                return file
    for submitted in submitted_content(application_id).files:
        if submitted.sha256 == sha256:
            return files.view(submitted.file_id)
    raise NotFound


def receipt_files(submission_id: UUID) -> tuple[FileView, ...]:
    """The receipt as PDF, once its job has made it."""
    return files.listed("submission", submission_id, "receipt")


# --- lists ----------------------------------------------------------------------------------------------------


def _closes_at() -> Any:
    return (
        select(CallDeadline.closes_at)
        .where(CallDeadline.call_id == Application.call_id)
        .order_by(CallDeadline.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _organisations_count() -> Any:
    return (
        select(func.count())
        .select_from(ApplicationPartner)
        .where(ApplicationPartner.application_id == Application.id)
        .scalar_subquery()
    )


def _rows() -> Any:
    lead = aliased(Organisation)
    return (
        select(
            Application.id,
            Application.reference,
            Application.title,
            Application.acronym,
            Application.state,
            Application.origin,
            Application.requested,
            Application.submitted_at,
            Application.created_at,
            Application.call_id,
            Call.slug,
            Call.title.label("call_title"),
            _closes_at().label("closes_at"),
            lead.name,
            lead.country_code,
            lead.synthetic,
            _organisations_count().label("organisations"),
        )
        .join(Call, Call.id == Application.call_id)
        .join(lead, lead.id == Application.coordinator_id)
    )


def _row(row: Any) -> ApplicationRow:
    return ApplicationRow(
        id=row.id,
        reference=row.reference,
        title=row.title,
        acronym=row.acronym,
        state=ApplicationState(row.state),
        origin=Origin(row.origin),
        synthetic=row.synthetic,
        call_id=row.call_id,
        call_slug=row.slug,
        call_title=row.call_title,
        closes_at=row.closes_at,
        coordinator=row.name,
        country_code=row.country_code,
        organisations=row.organisations,
        requested=row.requested,
        submitted_at=row.submitted_at,
        created_at=row.created_at,
    )


def _narrowed(wanted: ListFilter) -> tuple[ColumnElement[bool], ...]:
    found: list[ColumnElement[bool]] = []
    if wanted.call_slug:
        found.append(Application.call_id.in_(select(Call.id).where(Call.slug == wanted.call_slug)))
    if wanted.states:
        found.append(Application.state.in_([state.value for state in wanted.states]))
    if wanted.country_code:
        leads = select(Organisation.id).where(Organisation.country_code == wanted.country_code)
        found.append(Application.coordinator_id.in_(leads))
    for word in fold(wanted.search).split()[:8]:
        found.append(Application.search_text.contains(word, autoescape=True))
    return tuple(found)


def applications(
    actor: Actor, wanted: ListFilter, *, size: int, after: str | None = None
) -> tuple[ApplicationRow, ...]:
    """Applications this person may see, newest reference first, at most ``size`` and one more than that.

    ``after`` is the reference of the last row of the page before.
    """
    statement = _rows().where(visible(actor), *_narrowed(wanted))
    if after:
        statement = statement.where(Application.reference < after)
    rows = db.session.execute(
        statement.order_by(Application.reference.desc()).limit(min(size, LIST_ROWS_MAX) + 1)
    ).all()
    return tuple(_row(row) for row in rows)


def counts(actor: Actor, wanted: ListFilter) -> dict[ApplicationState, int]:
    """How many of each state a person may see, under the same filter but for its states; states in table order."""
    without_states = ListFilter(wanted.call_slug, (), wanted.country_code, wanted.search)
    rows = db.session.execute(
        select(Application.state, func.count())
        .where(visible(actor), *_narrowed(without_states))
        .group_by(Application.state)
    ).all()
    found = {state: number for state, number in rows}
    return {state: found[state.value] for state in ApplicationState if state.value in found}


def countries(actor: Actor) -> tuple[str, ...]:
    """The countries of the leads a person may see, in order, for the filter."""
    return tuple(
        db.session.scalars(
            select(Organisation.country_code)
            .where(Organisation.id.in_(select(Application.coordinator_id).where(visible(actor))))
            .distinct()
            .order_by(Organisation.country_code)
        )
    )


def calls_seen(actor: Actor) -> tuple[tuple[str, str], ...]:
    """Slug and title of the calls with applications a person may see, newest first, for the filter."""
    seen = select(Application.call_id).where(visible(actor)).distinct()
    rows = db.session.execute(
        select(Call.slug, Call.title).where(Call.id.in_(seen)).order_by(Call.year.desc(), Call.slug)
    )
    return tuple((slug, title) for slug, title in rows)


def for_call(
    actor: Actor, call_id: UUID, states: Iterable[ApplicationState] | None = None
) -> tuple[ApplicationRow, ...]:
    """The applications to one call a person may see, by reference, at most 2,000; later stages build on it."""
    statement = _rows().where(Application.call_id == call_id, visible(actor))
    if states is not None:
        statement = statement.where(Application.state.in_([state.value for state in states]))
    rows = db.session.execute(statement.order_by(Application.reference).limit(FOR_CALL_MAX)).all()
    return tuple(_row(row) for row in rows)


def of_call(call_id: UUID, states: Iterable[ApplicationState]) -> tuple[UUID, ...]:
    """Ids of the applications to a call in these states, by reference: for acts and jobs of later stages."""
    return tuple(
        db.session.scalars(
            select(Application.id)
            .where(Application.call_id == call_id, Application.state.in_([state.value for state in states]))
            .order_by(Application.reference)
        )
    )


def partners_of(application_ids: Iterable[UUID]) -> dict[UUID, tuple[PartnerView, ...]]:
    """The consortium of each of many applications in one statement, for conflict lists and assignment."""
    wanted = list(application_ids)
    found: dict[UUID, list[PartnerView]] = {application_id: [] for application_id in wanted}
    if wanted:
        rows = db.session.execute(
            select(ApplicationPartner, Organisation, User.name, User.email)
            .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
            .outerjoin(User, User.id == ApplicationPartner.contact_user_id)
            .where(ApplicationPartner.application_id.in_(wanted))
            .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
        ).all()
        for partner, organisation, name, email in rows:
            found[partner.application_id].append(_partner(partner, organisation, name, email))
    return {application_id: tuple(each) for application_id, each in found.items()}


# --- eligibility ----------------------------------------------------------------------------------------------


def desk(application: ApplicationView) -> Desk:
    """Every condition of the call with evidence from the submission and the register, and the answers so far."""
    content = submitted_content(application.id)
    check = db.session.scalars(
        select(EligibilityCheck)
        .join(Application, Application.submission_id == EligibilityCheck.submission_id)
        .where(Application.id == application.id)
    ).one_or_none()
    answers = _answers(check.id) if check else {}
    organisations = [member.organisation_id for member in content.consortium]
    cities, elsewhere = city_facts(organisations), _elsewhere(application, organisations)
    return Desk(
        conditions=tuple(
            ConditionView(
                condition,
                rules.evidence(condition, content.consortium, cities, elsewhere),
                answers.get(condition.key, ConditionAnswer(condition.key, None)),
            )
            for condition in application.call.content.conditions
        ),
        verdict=Verdict(check.verdict) if check and check.verdict else None,
        reason=check.reason if check else None,
        decided_at=check.decided_at if check else None,
        decided_by=check.decided_by if check else None,
        version=check.version if check else 0,
    )


def _answers(check_id: UUID) -> dict[str, ConditionAnswer]:
    rows = db.session.scalars(select(EligibilityResult).where(EligibilityResult.check_id == check_id))
    return {row.condition: ConditionAnswer(row.condition, Verdict(row.verdict), row.reason or "") for row in rows}


def city_facts(organisation_ids: Sequence[UUID]) -> tuple[CityFact, ...]:
    """What the register knows about the cities of these organisations, by name."""
    earlier: dict[UUID, list[str]] = {}
    cities = db.session.scalars(
        select(City).where(City.organisation_id.in_(organisation_ids)).order_by(City.name, City.id)
    ).all()
    rows = db.session.execute(
        select(Participation.city_id, Participation.call_label)
        .where(Participation.city_id.in_([city.id for city in cities]))
        .order_by(Participation.call_label)
    )
    for city_id, label in rows:
        earlier.setdefault(city_id, []).append(label)
    return tuple(
        CityFact(
            organisation_id=city.organisation_id,
            name=city.name,
            country_code=city.country_code,
            population=city.population,
            mission_city=city.mission_city,
            earlier=tuple(earlier.get(city.id, ())),
        )
        for city in cities
        if city.organisation_id is not None
    )


def _elsewhere(application: ApplicationView, organisations: Sequence[UUID]) -> tuple[tuple[str, str], ...]:
    """Organisations of this consortium that stand in another submitted application to the same call."""
    rows = db.session.execute(
        select(Organisation.name, Application.reference)
        .join(ApplicationPartner, ApplicationPartner.organisation_id == Organisation.id)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .where(
            Application.call_id == application.call.id,
            Application.id != application.id,
            Application.submission_id.is_not(None),
            Application.state != ApplicationState.WITHDRAWN.value,
            Organisation.id.in_(organisations),
        )
        .order_by(Organisation.name, Application.reference)
        .limit(100)
    )
    return tuple((name, reference) for name, reference in rows)


# --- what is to be done ---------------------------------------------------------------------------------------


def duties(actor: Actor, at: datetime) -> tuple[Duty, ...]:
    """What leads, partners and the eligibility desk must do next, in at most three statements."""
    found: list[Duty] = []
    if actor.places(Permission.APPLICATION_EDIT, "application"):
        found += _writing_duties(actor, at)
    if actor.can(Permission.APPLICATION_CHECK):
        found += _checking_duties(actor, at)
    return tuple(found)


def _writing_duties(actor: Actor, at: datetime) -> list[Duty]:
    own = actor.places(Permission.APPLICATION_EDIT, "application")
    rows = db.session.execute(
        select(
            Application.reference,
            Application.title,
            Application.acronym,
            Application.id,
            Application.dossier_id,
            Application.submitted_at,
            _closes_at().label("closes_at"),
            ApplicationPartner.state.label("answer"),
        )
        .outerjoin(
            ApplicationPartner,
            and_(
                ApplicationPartner.application_id == Application.id,
                ApplicationPartner.contact_user_id == actor.user_id,
            ),
        )
        .where(
            Application.id.in_(own),
            Application.state.in_([state.value for state in rules.WRITABLE]),
            _closes_at() > at,
            *not_barred(actor),
        )
        .order_by(_closes_at(), Application.reference)
        .limit(DUTIES_MAX)
    ).all()
    progress = dossier_queries.progress(row.dossier_id for row in rows if row.dossier_id)
    found = (_writing_duty(actor, row, progress.get(row.dossier_id)) for row in rows)
    return [duty for duty in found if duty is not None]


def _writing_duty(actor: Actor, row: Any, progress: dossier_queries.Progress | None) -> Duty | None:
    name, values = row.acronym or row.title, {"ref": row.reference}
    if row.answer == PartnerState.INVITED.value:
        return Duty(
            what=f"Answer the invitation to \u201c{name}\u201d",
            why="The lead city cannot send the application before you have accepted or declined.",
            button="Open the invitation",
            endpoint="applications.team",
            values=values,
            due_at=row.closes_at,
        )
    if row.submitted_at is not None:
        return _newer_draft_duty(actor, row, progress)
    left = progress.sections - progress.completed if progress else 0
    leads = row.id in actor.places(Permission.APPLICATION_SUBMIT, "application")
    if left == 0 and leads:
        return Duty(
            what=f"Check and send \u201c{name}\u201d",
            why="Every section is marked as finished; nothing has been sent yet.",
            button="Check the application",
            endpoint="applications.check",
            values=values,
            due_at=row.closes_at,
        )
    return Duty(
        what=f"Finish {left} {'section' if left == 1 else 'sections'} of \u201c{name}\u201d"
        if left
        else f"Look at \u201c{name}\u201d before it is sent",
        why=f"{progress.completed if progress else 0} of {progress.sections if progress else 0} sections are finished.",
        button="Open the application",
        endpoint="applications.show",
        values=values,
        due_at=row.closes_at,
    )


def _newer_draft_duty(actor: Actor, row: Any, progress: dossier_queries.Progress | None) -> Duty | None:
    """What was sent stands; only answers saved after it are worth a line, and only the lead can send them."""
    newer = progress is not None and progress.saved_at is not None and progress.saved_at > row.submitted_at
    if not newer or row.id not in actor.places(Permission.APPLICATION_SUBMIT, "application"):
        return None
    return Duty(
        what=f"Send your changes to \u201c{row.acronym or row.title}\u201d, or leave what you sent",
        why="Sections were saved after you sent the application. Without sending again, the version you sent stands.",
        button="Check the application",
        endpoint="applications.check",
        values={"ref": row.reference},
        due_at=row.closes_at,
    )


def _checking_duties(actor: Actor, at: datetime) -> list[Duty]:
    rows = db.session.execute(
        select(Call.slug, Call.title, func.count(), func.min(_closes_at()))
        .select_from(Application)
        .join(Call, Call.id == Application.call_id)
        .where(
            Application.state == ApplicationState.SUBMITTED.value,
            visible(actor),
            _closes_at() <= at,
        )
        .group_by(Call.slug, Call.title)
        .order_by(Call.slug)
        .limit(DUTIES_MAX)
    ).all()
    return [
        Duty(
            what=f"Check {number} {'application' if number == 1 else 'applications'} for eligibility",
            why=f"{title}: the deadline has passed; evaluators get only what is declared eligible.",
            button="Open the eligibility desk",
            endpoint="applications.eligibility_list",
            values={"slug": slug},
            count=number,
        )
        for slug, title, number, _ in rows
    ]
