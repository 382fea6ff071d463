"""The workplace of a team: what is written, what is still missing, what would be sent."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, and_, bindparam, exists, select

from grants.applications import rules
from grants.applications.models import Application, ApplicationMember, ApplicationPartner
from grants.applications.queries.clarifying import clarifications
from grants.applications.queries.last_changes import last_changes
from grants.applications.queries.privacy import accepted, notice_asked
from grants.applications.queries.reach import is_team, visible
from grants.applications.queries.serving import served
from grants.applications.queries.signing import signed, signed_parts
from grants.applications.queries.stages import stages
from grants.applications.queries.team import team, writes_all
from grants.applications.queries.whole import as_told, state_told, view, view_of
from grants.applications.rules import (
    ApplicationView,
    ClarificationView,
    Issue,
    LastChange,
    PartnerView,
    Served,
    SignedPart,
    SignOffView,
    SubmittedFile,
    TeamMember,
    Timeline,
)
from grants.applications.states import ApplicationState, PartnerState
from grants.budgets import queries as budget_queries
from grants.budgets import rules as budget_rules
from grants.budgets.queries import BudgetView, Stored
from grants.calls import queries as call_queries
from grants.calls.models import Call
from grants.calls.rules import CallTimes, declarations
from grants.calls.rules.privacy import NoticeAsked
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor
from grants.core.scanning import Clearance
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.dossiers import queries as dossier_queries
from grants.dossiers import rules as dossier_rules
from grants.dossiers.models import DossierSection
from grants.dossiers.queries import DossierView, SectionView, SetAside
from grants.dossiers.rules import Section
from grants.identity import queries as identity_queries
from grants.identity.models import Organisation
from grants.identity.rules import Fact, OrganisationView, Person
from grants.identity.states import FactKind, OrganisationKind

# Administrations whose normal work and recoverable VAT no grant pays (domain.md B-08, B-09).
PUBLIC_KINDS = frozenset({OrganisationKind.MUNICIPALITY, OrganisationKind.METROPOLE})


def is_public(kind: OrganisationKind, facts: Sequence[Fact]) -> bool:
    """Whether an organisation counts as a public administration: as the register says, else by its kind."""
    said = next((fact.value for fact in facts if fact.kind is FactKind.PUBLIC_BODY), "")
    return said == "yes" if said else kind in PUBLIC_KINDS


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
    # What the register holds of each organisation.
    held: Mapping[UUID, tuple[OrganisationView, tuple[Fact, ...]]]
    # What would be sent now, as plain JSON, and its hash.
    content: Mapping[str, Any]
    fingerprint: str
    team: tuple[TeamMember, ...]
    # How many comments wait for somebody, by section and question; those without are left out.
    threads: Mapping[str, Mapping[str, int]]
    parts: tuple[SignedPart, ...]
    # Actions and barriers of its cities' contracts that it says it serves.
    serves: tuple[Served, ...]
    # Texts without a place since the call changed, the newest first.
    set_aside: tuple[SetAside, ...] = ()
    # The privacy notice that whoever looks has yet to read.
    notice: NoticeAsked | None = None
    # Who of the team accepted which version of it, and when.
    accepted_notices: tuple[tuple[str, int, datetime], ...] = ()
    # What the desk asked after it was sent, and the answers, as whoever looks may read them.
    clarified: tuple[ClarificationView, ...] = ()
    # Where it stands among the stages of its call, and what was done last; only for the page that shows them.
    timeline: Timeline | None = None
    changes: tuple[LastChange, ...] = ()

    def set_aside_in(self, section: Section) -> tuple[SetAside, ...]:
        """Those that belong beside a question of one section, as it is asked now."""
        keys = {question.key for question in section.questions}
        return tuple(each for each in self.set_aside if each.question in keys)

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
        """The name of whoever saved something or is asked to; before they join, as the lead typed it."""
        member = self.member(user_id)
        if member is not None:
            return member.name
        found = self.people.get(user_id) if user_id else None
        return found.name if found else ""

    def open_comments(self, section_key: str) -> int:
        """How many comments of a section wait for somebody."""
        return sum(self.threads.get(section_key, {}).values())

    def asked_of(self, user_id: UUID | None) -> tuple[SectionView, ...]:
        """The sections one person is asked to write."""
        return tuple(section for section in self.dossier.sections if user_id and section.asked_id == user_id)

    def member(self, user_id: UUID | None) -> TeamMember | None:
        """The person as one of the team, or None."""
        return next((each for each in self.team if each.user_id == user_id), None)


@reader
def workplace(actor: Actor, reference: str) -> Asking[Workplace]:
    """The application as its team sees it; :class:`NotFound` for everybody else. Four statements."""
    found = yield from ask(select(Application).where(Application.reference == reference, visible(actor)))
    if not found or not is_team(actor, found[0].id) or found[0].dossier_id is None or found[0].budget_id is None:
        raise NotFound
    row = found[0]
    application, written = yield from both(view_of.asking(row), _written.asking(row.id, row.dossier_id, row.budget_id))
    return (yield from _put_together.asking(as_told(application, row), written, reader=actor))


def budget_of(actor: Actor, reference: str) -> BudgetView:
    """The budget alone as its team sees it; :class:`NotFound` for everybody else."""
    application = view(actor, reference)
    if not is_team(actor, application.id) or application.budget_id is None:
        raise NotFound
    held, stored = _budget_alone(application, application.budget_id)
    return _budget(application, stored, held)


_Held = Mapping[UUID, tuple[OrganisationView, tuple[Fact, ...]]]


@reader
def _budget_alone(application: ApplicationView, budget_id: UUID) -> Asking[tuple[_Held, Stored]]:
    return (yield from both(_held.asking(application), budget_queries.stored.asking(budget_id)))


@reader
def _held(application: ApplicationView) -> Asking[_Held]:
    """What the register holds of each organisation of the consortium; one statement."""
    return (yield from identity_queries.with_facts.asking(p.organisation_id for p in application.partners))


def _budget(application: ApplicationView, stored: Stored, held: _Held) -> BudgetView:
    public = {
        each.organisation_id for each in application.partners if is_public(each.kind, held[each.organisation_id][1])
    }
    return budget_queries.shown(stored, application.organisation_names, public)


def workplace_of(application: ApplicationView, at: datetime | None = None, *, reader: Actor | None = None) -> Workplace:
    """Answers, budget, files and every problem of an application with a draft; at a moment with where it stands then.

    Two statements.
    """
    assert application.dossier_id is not None and application.budget_id is not None
    written = _written(application.id, application.dossier_id, application.budget_id)
    return _put_together(application, written, at, reader=reader)


_Written = tuple[DossierView, Stored, tuple[FileView, ...]]


@reader
def _written(application_id: UUID, dossier_id: UUID, budget_id: UUID) -> Asking[_Written]:
    """Answers, budget and files, in one statement."""
    rest = both(budget_queries.stored.asking(budget_id), files.listed.asking("application", application_id))
    dossier, (stored, attached) = yield from both(dossier_queries.dossier.asking(dossier_id), rest)
    return dossier, stored, attached


@reader
def _put_together(
    application: ApplicationView, written: _Written, at: datetime | None = None, *, reader: Actor | None = None
) -> Asking[Workplace]:
    """What was read, with the people in it and everything that is wrong or should be looked at; one statement."""
    dossier, stored, attached = written
    application = application.as_written
    savers = set(dossier.writers)
    savers |= {user_id for user_id in (stored.row.saved_by, *(file.created_by for file in attached)) if user_id}
    if application.submission:
        savers.add(application.submission.submitted_by)
    known = both(identity_queries.people.asking(savers), _held.asking(application))
    beside, (named, held) = yield from both(_beside(application, at, reader), known)
    budget = _budget(application, stored, held)
    content = _snapshot_of(application, dossier, budget, attached, held, beside.serves)
    fingerprint = rules.digest(content).hex()
    parts = signed_parts(application, dossier, budget, beside.team, beside.signed, fingerprint)
    is_demanded = application.call.content.sign_offs
    return Workplace(
        application=application,
        dossier=dossier,
        budget=budget,
        files=attached,
        people=named,
        issues=(
            *issues_of(application, dossier, budget, attached),
            *(rules.sign_off_issues(parts) if is_demanded else ()),
        ),
        warnings=(
            *warnings_of(dossier, budget),
            *(() if is_demanded else rules.overtaken(parts)),
            *rules.unscanned_issues(sum(file.clearance is Clearance.WAITING for file in attached)),
        ),
        held=held,
        content=content,
        fingerprint=fingerprint,
        team=beside.team,
        threads=beside.threads,
        parts=parts,
        serves=beside.serves,
        set_aside=beside.set_aside,
        notice=beside.notice,
        accepted_notices=beside.accepted_notices,
        clarified=beside.clarified,
        timeline=beside.timeline,
        changes=beside.changes,
    )


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside answers and budget."""

    team: tuple[TeamMember, ...]
    threads: dict[str, dict[str, int]]
    signed: dict[UUID | None, SignOffView]
    set_aside: tuple[SetAside, ...]
    serves: tuple[Served, ...]
    notice: NoticeAsked | None
    accepted_notices: tuple[tuple[str, int, datetime], ...]
    clarified: tuple[ClarificationView, ...]
    timeline: Timeline | None = None
    changes: tuple[LastChange, ...] = ()


def _nothing() -> Asking[tuple[Any, ...]]:
    yield from ()
    return ()


def _beside(application: ApplicationView, at: datetime | None, reader: Actor | None) -> Asking[_Beside]:
    """The team, its comments and sign-offs and the rest of what stands beside, in one statement; at a moment with where
    the application stands then and what was done last.
    """
    assert application.dossier_id is not None, "what can be written in has answers"
    askings: list[Asking[Any]] = [
        team.asking(application),
        dossier_queries.open_threads.asking(application.dossier_id),
        signed.asking(application.id),
        dossier_queries.set_aside.asking(application.dossier_id),
        served.asking(application.id),
        notice_asked.asking(reader.user_id if reader else None, application.call.id, application.id),
        accepted.asking(application.id),
        clarifications.asking(reader, application) if reader else _nothing(),
        *([stages.asking(application, at, reader), last_changes.asking(application)] if at is not None else []),
    ]
    return _Beside(*(yield from side_by_side(askings)))


def issues_of(
    application: ApplicationView, dossier: DossierView, budget: BudgetView, attached: Sequence[FileView]
) -> tuple[Issue, ...]:
    """Everything that stops the sending, in the order of the task list."""
    titles = {section.key: section.section.title for section in dossier.sections}
    return (
        *rules.team_issues(application.partners),
        *rules.section_issues(dossier.problems, titles),
        *_declaration_issues(application, dossier, titles),
        *rules.budget_issues(budget.problems),
        *rules.attachment_issues(application.call.content.attachments, frozenset(file.role for file in attached)),
        *rules.infected_issues((f.role, f.name) for f in attached if f.clearance is Clearance.INFECTED),
    )


def _declaration_issues(
    application: ApplicationView, dossier: DossierView, titles: Mapping[str, str]
) -> tuple[Issue, ...]:
    """What an organisation of the consortium has not declared for itself yet."""
    section = next((each for each in dossier.sections if each.key == declarations.DECLARED), None)
    if section is None:
        return ()
    typed = [(item.question, item.answer.text) for item in section.questions]
    names = [partner.name for partner in application.partners if partner.state is not PartnerState.DECLINED]
    anchors = {item.question.key: item.anchor for item in section.questions}
    return tuple(
        Issue(rules.Page.SECTION, sentence, titles[section.key], section.key, anchors[key])
        for key, sentence in declarations.each_problems(application.call.content.declarations, typed, names)
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


def _snapshot_of(
    application: ApplicationView,
    dossier: DossierView,
    budget: BudgetView,
    attached: Sequence[FileView],
    held: _Held,
    serves: Sequence[Served],
) -> dict[str, Any]:
    """What would be submitted now, as plain JSON."""
    return rules.snapshot(
        view=application,
        members=[held[partner.organisation_id] for partner in application.partners],
        dossier=dossier_rules.to_mapping(dossier.content),
        budget=budget_rules.to_mapping(budget.content),
        files=[
            SubmittedFile(file.id, file.role, file.name, file.media_type, file.size_bytes, file.sha256)
            for file in attached
        ],
        served=serves,
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides whether a person may write in an application now, and where what is written belongs."""

    # As its team reads it.
    state: ApplicationState
    dossier_id: UUID | None
    budget_id: UUID | None
    times: CallTimes
    own: tuple[tuple[str, PartnerState], ...]
    # The organisations this person speaks for and accepted for.
    organisations: frozenset[UUID]
    # Whether every row is theirs to write: of the lead and the editors.
    writes_all: bool
    # Whether they were invited as a person and have not joined yet.
    joins: bool
    asked_id: UUID | None

    def writes_row(self, organisation_id: UUID) -> bool:
        """Whether the person may write this organisation's part of the budget."""
        return self.writes_all or organisation_id in self.organisations


def gate(actor: Actor, application_id: UUID, section_key: str = "") -> Gate:
    """The application's state, its call's times, what was answered for each partner this person speaks for, and of
    whom a section is asked.

    One statement, for an act that holds the application's lock by its scope.
    """
    given = {"application_id": application_id, "user_id": actor.user_id, "section_key": section_key}
    found = db.session.execute(_gate(), given).all()
    if not found:
        raise NotFound
    first, own = found[0], [row for row in found if row.answered is not None]
    times = call_queries.times(first.call_state, first.zone, first.opens_at, first.closes_at)
    return Gate(
        state=state_told(first),
        dossier_id=first.dossier_id,
        budget_id=first.budget_id,
        times=times.until(first.own_closes_at),
        own=tuple((row.name, PartnerState(row.answered)) for row in own),
        organisations=frozenset(row.organisation_id for row in own if row.answered == PartnerState.ACCEPTED.value),
        writes_all=writes_all(actor, application_id),
        joins=first.joins,
        asked_id=first.asked_id,
    )


@functools.cache
def _gate() -> Select[Any]:
    """What :func:`gate` asks, put together once: a row for each partner the person speaks for, one where there is none."""
    application, partner = Application.__table__.c, ApplicationPartner.__table__.c
    member, section, organisation = ApplicationMember.__table__.c, DossierSection.__table__.c, Organisation.__table__.c
    person = bindparam("user_id", type_=Uuid)
    joins = exists().where(
        member.application_id == application.id, member.user_id == person, member.joined_at.is_(None)
    )
    asked = (
        select(section.asked_id)
        .where(section.dossier_id == application.dossier_id, section.key == bindparam("section_key", type_=Text))
        .scalar_subquery()
    )
    return (
        select(
            application.id,
            application.state,
            application.told_state,
            application.dossier_id,
            application.budget_id,
            application.own_closes_at,
            *call_queries.times_columns(),
            partner.state.label("answered"),
            partner.organisation_id,
            organisation.name,
            joins.label("joins"),
            asked.label("asked_id"),
        )
        .select_from(Application.__table__)
        .join(Call.__table__, Call.__table__.c.id == application.call_id)
        .outerjoin(
            ApplicationPartner.__table__,
            and_(partner.application_id == application.id, partner.contact_user_id == person),
        )
        .outerjoin(Organisation.__table__, organisation.id == partner.organisation_id)
        .where(application.id == bindparam("application_id", type_=Uuid))
        .order_by(partner.position, partner.id)
    )


def own_rows(actor: Actor, application: ApplicationView) -> frozenset[UUID]:
    """The budget rows this person may write: lead and editors all, a partner those of the own organisation."""
    if writes_all(actor, application.id):
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
