"""Reads of evaluation. Every page query takes the actor and leaves barred and unopened applications out, counts included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.queries import opens_when
from grants.applications.states import ApplicationState, PartnerState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView, Criterion
from grants.core import clock, faults
from grants.core.db import db, locked
from grants.core.duties import Duty
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import from_mapping
from grants.evaluation import rules
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    Assignment,
    AssignmentRun,
    ConflictDeclaration,
    Consensus,
    ConsensusScore,
    Evaluator,
)
from grants.evaluation.rules import (
    AgreedScores,
    ApplicationHead,
    AssessmentPage,
    AssessmentRow,
    AssignmentsPage,
    ConflictPage,
    ConflictRow,
    ConsensusPage,
    ConsensusRow,
    Consortium,
    DoubtRow,
    MarkInput,
    MatrixRow,
    PoolMember,
    RunView,
    SeatView,
    SheetView,
)
from grants.evaluation.states import AssessmentState, ConsensusState, Declared, Ruling, RunStatus, SeatState
from grants.identity.models import Membership, Organisation, RoleGrant, User
from grants.identity.policy import Role
from grants.identity.queries import role_holds, users_with
from grants.identity.rules import Person

# States in which conflicts are declared and seats are given.
IN_EVALUATION = (ApplicationState.ELIGIBLE.value, ApplicationState.UNDER_EVALUATION.value)
ROWS_MAX = 2_000


# --- where things lie -------------------------------------------------------------------------------------------


def call_scope(call_id: UUID) -> Scope:
    """A call, locked: what seats and declarations of its applications queue on."""
    return Scope.of(("call", locked(Call, call_id).id))


def application_scope(application_id: UUID) -> Scope:
    """An application, locked, in its call."""
    row = locked(Application, application_id)
    return Scope.of(("application", row.id), ("call", row.call_id))


def declaration_scope(declaration_id: UUID) -> Scope:
    """A declaration lies where its application lies."""
    return application_scope(locked(ConflictDeclaration, declaration_id).application_id)


def seat_scope(seat_id: UUID) -> Scope:
    """A seat lies where its application lies."""
    return application_scope(locked(Assignment, seat_id).application_id)


def within(actor: Actor, *permissions: Permission) -> ColumnElement[bool]:
    """The condition on :class:`Application` that one of the permissions holds there and no bar stands before it."""
    places: list[ColumnElement[bool]] = []
    for permission in permissions:
        if actor.everywhere(permission):
            places.append(literal(True))
        places.append(Application.id.in_(actor.places(permission, "application")))
        places.append(Application.call_id.in_(actor.places(permission, "call")))
    return and_(
        Application.id.not_in(actor.barred("application")),
        Application.call_id.not_in(actor.barred("call")),
        or_(literal(False), *places),
    )


def clear_for(user_id: UUID | None) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person declared no conflict, or was cleared: else nothing opens."""
    return (
        select(ConflictDeclaration.id)
        .where(
            ConflictDeclaration.application_id == Application.id,
            ConflictDeclaration.user_id == user_id,
            or_(
                ConflictDeclaration.ruling == Ruling.CLEARED.value,
                and_(ConflictDeclaration.ruling.is_(None), ConflictDeclaration.declared == Declared.NONE.value),
            ),
        )
        .exists()
    )


# The pages of applications open to a panel by the same condition.
opens_when(clear_for)


def undeclared(actor: Actor, application_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of these applications that stay shut to a person who must declare: not declared, in doubt, or conflicted."""
    if not actor.can(Permission.CONFLICT_DECLARE):
        return frozenset()
    clear = db.session.scalars(
        select(Application.id).where(Application.id.in_(application_ids), clear_for(actor.user_id))
    )
    return frozenset(application_ids) - frozenset(clear)


def readable(actor: Actor) -> ColumnElement[bool]:
    """Applications whose assessments this person may read whole: by role in scope; who must declare, has declared."""
    reads = within(actor, Permission.ASSESSMENT_READ_ALL)
    return and_(reads, clear_for(actor.user_id)) if actor.can(Permission.CONFLICT_DECLARE) else reads


# --- who stands behind an application ---------------------------------------------------------------------------


def consortia(call_id: UUID, *, only: Collection[UUID] | None = None) -> tuple[Consortium, ...]:
    """The consortia of a call's applications in evaluation (or of those named), by reference. Four statements."""
    condition = Application.id.in_(only) if only is not None else Application.state.in_(IN_EVALUATION)
    rows = db.session.execute(
        select(Application.id, Application.reference, Application.title, Application.submission_id)
        .where(Application.call_id == call_id, condition)
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    ).all()
    ids = [row.id for row in rows]
    members: dict[UUID, list[tuple[ApplicationPartner, Organisation]]] = defaultdict(list)
    for partner, organisation in db.session.execute(
        select(ApplicationPartner, Organisation)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(ApplicationPartner.application_id.in_(ids), ApplicationPartner.state != PartnerState.DECLINED.value)
        .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
    ):
        members[partner.application_id].append((partner, organisation))
    topics = _topics([row.submission_id for row in rows if row.submission_id])
    people = _people_of(ids)
    return tuple(_consortium(row, members[row.id], topics.get(row.id, frozenset()), people[row.id]) for row in rows)


def _consortium(
    row: Any, members: Sequence[tuple[ApplicationPartner, Organisation]], topics: frozenset[str], people: set[UUID]
) -> Consortium:
    names = [organisation.town or organisation.name for _, organisation in members]
    hosts = (urlsplit(organisation.website or "").hostname or "" for _, organisation in members)
    return Consortium(
        row.id,
        row.reference,
        row.title,
        names[0] if names else "",
        tuple(dict.fromkeys(name for name in names[1:] if name != names[0])),
        frozenset(organisation.id for _, organisation in members),
        tuple(dict.fromkeys(organisation.country_code for _, organisation in members)),
        frozenset(organisation.town.casefold() for _, organisation in members if organisation.town),
        frozenset(host.removeprefix("www.") for host in hosts if host),
        frozenset({partner.contact_user_id for partner, _ in members if partner.contact_user_id} | people),
        topics,
    )


def _topics(submission_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    rows = db.session.execute(
        select(Submission.application_id, Submission.content["answers"]).where(Submission.id.in_(submission_ids))
    )
    return {
        application_id: rules.topics_of(from_mapping(content)) if content else frozenset()
        for application_id, content in rows
    }


def _people_of(application_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """Who holds a city's role on each application: they may never judge it."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    city_roles = (Role.APPLICATION_LEAD.value, Role.APPLICATION_PARTNER.value, Role.SIGNATORY.value)
    for application_id, user_id in db.session.execute(
        select(RoleGrant.object_id, RoleGrant.user_id).where(
            RoleGrant.kind == "application",
            RoleGrant.object_id.in_(application_ids),
            RoleGrant.role.in_(city_roles),
            role_holds(clock.now()),
        )
    ):
        if application_id is not None:
            found[application_id].add(user_id)
    return found


# --- conflicts --------------------------------------------------------------------------------------------------


def conflict_pages(actor: Actor) -> tuple[ConflictPage, ...]:
    """Every application this person must declare about, by call, open ones first; barred ones are gone."""
    assert actor.user_id is not None
    me, (email, town) = actor.user_id, _own_address(actor)
    declared = aliased(ConflictDeclaration)
    rows = db.session.execute(
        select(Application.id, Application.call_id, Call.slug, Call.title, declared)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(declared, and_(declared.application_id == Application.id, declared.user_id == actor.user_id))
        .where(Application.state.in_(IN_EVALUATION), _must_declare(actor))
        .order_by(Call.reference, Application.reference)
        .limit(ROWS_MAX)
    ).all()
    by_call: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_call[row.call_id].append(row)
    pages = []
    for call_id, found in by_call.items():
        about = {one.application_id: one for one in consortia(call_id, only=[row.id for row in found])}
        lines = [
            _conflict_row(about[row.id], row[4], rules.noticed(actor.organisation_ids, email, me, town, about[row.id]))
            for row in found
        ]
        lines.sort(key=lambda line: (not line.is_open, line.reference))
        pages.append(ConflictPage(call_id, found[0].slug, found[0].title, tuple(lines)))
    return tuple(pages)


def _must_declare(actor: Actor) -> ColumnElement[bool]:
    """Applications of the calls whose pool the person is in; for a panel, those whose assessments they may read."""
    pooled = Application.call_id.in_(select(Evaluator.call_id).where(Evaluator.user_id == actor.user_id))
    sees: ColumnElement[bool] = pooled
    if actor.can(Permission.ASSESSMENT_READ_ALL):
        sees = or_(pooled, within(actor, Permission.ASSESSMENT_READ_ALL))
    return and_(within(actor, Permission.CONFLICT_DECLARE), sees)


def may_declare(actor: Actor, call_id: UUID) -> frozenset[UUID]:
    """The applications of one call this person may declare about now."""
    found = db.session.scalars(
        select(Application.id).where(
            Application.call_id == call_id, Application.state.in_(IN_EVALUATION), _must_declare(actor)
        )
    )
    return frozenset(found)


def _own_address(actor: Actor) -> tuple[str, str]:
    """The own address and the town of the own organisation."""
    row = db.session.execute(
        select(User.email, Organisation.town)
        .outerjoin(Membership, and_(Membership.user_id == User.id, Membership.ends_before.is_(None)))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(User.id == actor.user_id)
        .order_by(Membership.starts_at)
        .limit(1)
    ).one_or_none()
    return (row[0], row[1] or "") if row else ("", "")


def _conflict_row(about: Consortium, stored: ConflictDeclaration | None, noticed: str) -> ConflictRow:
    return ConflictRow(
        about.application_id,
        about.reference,
        about.title,
        about.cities,
        noticed,
        Declared(stored.declared) if stored else None,
        (stored.reason or "") if stored else "",
        Ruling(stored.ruling) if stored and stored.ruling else None,
    )


def declaration_of(user_id: UUID, application_id: UUID) -> tuple[Declared | None, Ruling | None]:
    """What a person declared about an application, and the ruling."""
    row = db.session.execute(
        select(ConflictDeclaration.declared, ConflictDeclaration.ruling).where(
            ConflictDeclaration.user_id == user_id, ConflictDeclaration.application_id == application_id
        )
    ).one_or_none()
    return (Declared(row[0]), Ruling(row[1]) if row[1] else None) if row else (None, None)


def declarations(application_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], tuple[Declared, Ruling | None]]:
    """(person, application) to what was declared and ruled, in one statement."""
    rows = db.session.execute(
        select(
            ConflictDeclaration.user_id,
            ConflictDeclaration.application_id,
            ConflictDeclaration.declared,
            ConflictDeclaration.ruling,
        ).where(ConflictDeclaration.application_id.in_(list(application_ids)))
    )
    return {(row[0], row[1]): (Declared(row[2]), Ruling(row[3]) if row[3] else None) for row in rows}


# --- the evaluator ----------------------------------------------------------------------------------------------


def _my_seats(actor: Actor) -> Any:
    """Seats of this person that are open to them: active, in scope, declared clear, not barred."""
    return (
        select(Application, Call.slug, Call.title, Assignment, Assessment, Consensus.state)
        .join(Assignment, Assignment.application_id == Application.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(
            Evaluator.user_id == actor.user_id,
            Assignment.state == SeatState.ACTIVE.value,
            within(actor, Permission.ASSESSMENT_SCORE),
            clear_for(actor.user_id),
        )
    )


def assessments(actor: Actor) -> tuple[AssessmentRow, ...]:
    """What this person assesses: unfinished first, then by deadline and reference. Five statements or fewer a call."""
    rows = db.session.execute(_my_seats(actor).order_by(Application.reference).limit(ROWS_MAX)).all()
    scored = _scored([row[4].id for row in rows if row[4]])
    views = calls.call_views({row[0].call_id for row in rows})
    criteria = {call_id: view.content.criteria for call_id, view in views.items()}
    cities = cities_of([row[0].id for row in rows])
    lines = [
        AssessmentRow(
            application.id,
            application.reference,
            application.title,
            cities.get(application.id, ""),
            slug,
            title,
            AssessmentState(sheet.state) if sheet else None,
            scored.get(sheet.id, 0) if sheet else 0,
            len(criteria[application.call_id]),
            seat.due_at,
            sheet.submitted_at if sheet else None,
            ConsensusState(consensus) if consensus else None,
        )
        for application, slug, title, seat, sheet, consensus in rows
    ]
    return tuple(sorted(lines, key=lambda line: (line.state is AssessmentState.SUBMITTED, line.reference)))


def _scored(assessment_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = db.session.execute(
        select(AssessmentScore.assessment_id, func.count(AssessmentScore.half))
        .where(AssessmentScore.assessment_id.in_(assessment_ids))
        .group_by(AssessmentScore.assessment_id)
    )
    return {assessment_id: count for assessment_id, count in rows}


def cities_of(application_ids: Sequence[UUID]) -> dict[UUID, str]:
    """“Neochóra, with Vila Nova da Áçora” for each application, in one statement."""
    names: dict[UUID, list[str]] = defaultdict(list)
    for application_id, town, name in db.session.execute(
        select(ApplicationPartner.application_id, Organisation.town, Organisation.name)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(
            ApplicationPartner.application_id.in_(application_ids),
            ApplicationPartner.state != PartnerState.DECLINED.value,
        )
        .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
    ):
        if (town or name) not in names[application_id]:
            names[application_id].append(town or name)
    return {key: found[0] + (f", with {', '.join(found[1:])}" if found[1:] else "") for key, found in names.items()}


def application_id_of(actor: Actor, reference: str) -> UUID:
    """The application of that reference, if this person has an open seat on it; :class:`NotFound` otherwise."""
    row = db.session.execute(_my_seats(actor).where(Application.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    found: UUID = row[0].id
    return found


def assessment_page(actor: Actor, reference: str) -> AssessmentPage:
    """The split screen of one application; :class:`NotFound` without an open seat."""
    row = db.session.execute(_my_seats(actor).where(Application.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    application, _, _, seat, sheet, consensus = row
    call = calls.call_by_id(application.call_id)
    mine = _sheets(application.id, call.content.criteria, actor.name)
    own = next((view for seat_id, view in mine if seat_id == seat.id), _empty_sheet(actor.name))
    # Blind until the own sheet is in: the others are not even read from the database before that.
    submitted = sheet is not None and sheet.state == AssessmentState.SUBMITTED.value
    others = tuple(
        view for seat_id, view in mine if seat_id != seat.id and view.state is AssessmentState.SUBMITTED and submitted
    )
    progress = assessments(actor)
    open_ones = [line.reference for line in progress if line.state is not AssessmentState.SUBMITTED]
    later = [found for found in open_ones if found > reference] or [found for found in open_ones if found != reference]
    state = ConsensusState(consensus) if consensus else None
    return AssessmentPage(
        _head(application, call),
        call.content.criteria,
        call.content.scale.anchors,
        call.content.max_half,
        call.content.total_threshold_half,
        own,
        others,
        _seats_of([application.id]).get(application.id, 0) - 1 - len(others) if submitted else 0,
        seat.due_at,
        _locked_words(state, submitted),
        state,
        sum(line.state is AssessmentState.SUBMITTED for line in progress),
        len(progress),
        later[0] if later else None,
    )


def _locked_words(consensus: ConsensusState | None, submitted: bool) -> str:
    if consensus is ConsensusState.AGREED:
        return "The consensus is agreed; assessments of this application no longer change."
    return "You have submitted this assessment. The programme manager can reopen it." if submitted else ""


def _empty_sheet(name: str) -> SheetView:
    return SheetView(None, name, AssessmentState.DRAFT, (), "", 0, None, None)


def _head(application: Application, call: CallView) -> ApplicationHead:
    cities = cities_of([application.id]).get(application.id, "")
    return ApplicationHead(
        application.id, application.reference, application.title, cities, call.id, call.slug, call.title
    )


def _sheets(application_id: UUID, criteria: Sequence[Criterion], me: str) -> list[tuple[UUID, SheetView]]:
    """The sheets of the active seats with their seats, by name of the evaluator."""
    rows = db.session.execute(
        select(Assignment.id, User.name, Assessment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(User.name, Assignment.id)
    ).all()
    marks = _marks([row[2].id for row in rows])
    return [(seat_id, _sheet(sheet, name, marks.get(sheet.id, {}), criteria)) for seat_id, name, sheet in rows]


def _marks(assessment_ids: Sequence[UUID]) -> dict[UUID, dict[str, MarkInput]]:
    found: dict[UUID, dict[str, MarkInput]] = defaultdict(dict)
    for score in db.session.scalars(select(AssessmentScore).where(AssessmentScore.assessment_id.in_(assessment_ids))):
        found[score.assessment_id][score.criterion] = MarkInput(score.criterion, score.half, score.comment)
    return found


def _sheet(row: Assessment, name: str, marks: Mapping[str, MarkInput], criteria: Sequence[Criterion]) -> SheetView:
    ordered = tuple(marks.get(criterion.key, MarkInput(criterion.key, None)) for criterion in criteria)
    state = AssessmentState(row.state)
    return SheetView(row.id, name, state, ordered, row.remark, row.version, row.saved_at, row.submitted_at)


def _seats_of(application_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = db.session.execute(
        select(Assignment.application_id, func.count())
        .where(Assignment.application_id.in_(application_ids), Assignment.state == SeatState.ACTIVE.value)
        .group_by(Assignment.application_id)
    )
    return {application_id: count for application_id, count in rows}


# --- consensus --------------------------------------------------------------------------------------------------


def _consensus_condition(actor: Actor) -> ColumnElement[bool]:
    """Applications whose consensus this person may open: by role, or as an evaluator whose own sheet is in."""
    own = (
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            Assignment.application_id == Application.id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .exists()
    )
    return or_(readable(actor), and_(within(actor, Permission.CONSENSUS_AGREE), clear_for(actor.user_id), own))


def consensus_application(actor: Actor, reference: str) -> UUID:
    """The application of that reference, if this person may open its consensus; :class:`NotFound` otherwise."""
    found = db.session.scalar(
        select(Application.id).where(Application.reference == reference, _consensus_condition(actor))
    )
    if found is None:
        raise NotFound
    return found


def consensus_page(actor: Actor, reference: str) -> ConsensusPage:
    """Scores and words side by side with what is agreed; only submitted sheets are shown."""
    application = db.session.scalars(
        select(Application).where(Application.reference == reference, _consensus_condition(actor))
    ).one_or_none()
    if application is None:
        raise NotFound
    call = calls.call_by_id(application.call_id)
    criteria = call.content.criteria
    sheets = [view for _, view in _sheets(application.id, criteria, actor.name)]
    row = db.session.scalars(select(Consensus).where(Consensus.application_id == application.id)).one_or_none()
    people = seat_people(application.id)
    agreed = {UUID(entry["user_id"]) for entry in row.agreed_by} if row else set()
    state = ConsensusState(row.state) if row else None
    scope = Scope.of(("application", application.id), ("call", application.call_id))
    return ConsensusPage(
        _head(application, call),
        criteria,
        call.content.scale.anchors,
        call.content.max_half,
        call.content.total_threshold_half,
        tuple(view for view in sheets if view.state is AssessmentState.SUBMITTED),
        len(people),
        state,
        _consensus_marks(row, criteria),
        row.text if row else "",
        (row.minority_view or "") if row else "",
        row.version if row else 0,
        tuple(name for user_id, name in people.items() if user_id in agreed),
        tuple(name for user_id, name in people.items() if user_id not in agreed),
        actor.may(Permission.CONSENSUS_WRITE, scope) and application.state == ApplicationState.UNDER_EVALUATION.value,
        state is ConsensusState.PROPOSED and actor.user_id in people and actor.user_id not in agreed,
    )


def seat_people(application_id: UUID) -> dict[UUID, str]:
    """The people on the active seats of an application, by name."""
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Evaluator, Evaluator.user_id == User.id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(User.name, User.id)
    )
    return {user_id: name for user_id, name in rows}


def _consensus_marks(row: Consensus | None, criteria: Sequence[Criterion]) -> tuple[MarkInput, ...]:
    if row is None:
        return ()
    scores = {
        score.criterion: MarkInput(score.criterion, score.half, score.comment)
        for score in db.session.scalars(select(ConsensusScore).where(ConsensusScore.consensus_id == row.id))
    }
    return tuple(scores.get(criterion.key, MarkInput(criterion.key, None)) for criterion in criteria)


def consensus_list(actor: Actor) -> tuple[ConsensusRow, ...]:
    """Applications whose consensus this person may open, widest disagreement first."""
    rows = db.session.execute(
        select(Application, Call.slug, Call.title, Consensus.state)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(Application.state == ApplicationState.UNDER_EVALUATION.value, _consensus_condition(actor))
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    ).all()
    ids = [row[0].id for row in rows]
    seats, cities, halves = _seats_of(ids), cities_of(ids), _submitted_halves(ids)
    lines = []
    for application, slug, title, state in rows:
        by_criterion = halves.get(application.id, {})
        spread = max((rules.spread_half(given) or 0 for given in by_criterion.values()), default=0)
        sheets = max((len(given) for given in by_criterion.values()), default=0)
        line = ConsensusRow(
            application.id,
            application.reference,
            application.title,
            cities.get(application.id, ""),
            slug,
            title,
            seats.get(application.id, 0),
            sheets,
            rules.half_words(spread) if sheets > 1 else "",
            ConsensusState(state) if state else None,
        )
        lines.append((-spread, line))
    return tuple(line for _, line in sorted(lines, key=lambda pair: (pair[0], pair[1].reference)))


def _submitted_halves(application_ids: Sequence[UUID]) -> dict[UUID, dict[str, list[int]]]:
    """Submitted scores of the active seats: application, criterion, half points."""
    found: dict[UUID, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for application_id, criterion, half in db.session.execute(
        select(Assignment.application_id, AssessmentScore.criterion, AssessmentScore.half)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id.in_(application_ids),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
            AssessmentScore.half.is_not(None),
        )
        .order_by(Assignment.id)
    ):
        if half is not None:
            found[application_id][criterion].append(half)
    return found


def agreed_scores(application_ids: Sequence[UUID]) -> dict[UUID, AgreedScores]:
    """For the ranking: agreed half points of each application, and the evaluators' unweighted totals beside them."""
    agreed: dict[UUID, dict[str, int]] = defaultdict(dict)
    for application_id, criterion, half in db.session.execute(
        select(Consensus.application_id, ConsensusScore.criterion, ConsensusScore.half)
        .join(ConsensusScore, ConsensusScore.consensus_id == Consensus.id)
        .where(Consensus.application_id.in_(application_ids), Consensus.state == ConsensusState.AGREED.value)
    ):
        if half is not None:
            agreed[application_id][criterion] = half
    totals: dict[UUID, list[int]] = defaultdict(list)
    for application_id, total in db.session.execute(
        select(Assignment.application_id, func.sum(AssessmentScore.half))
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id.in_(application_ids),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .group_by(Assignment.application_id, Assessment.id)
        .order_by(Assessment.id)
    ):
        totals[application_id].append(int(total or 0))
    return {
        key: AgreedScores(key, dict(agreed[key]) if key in agreed else None, tuple(sorted(totals[key])))
        for key in application_ids
    }


# --- the manager ------------------------------------------------------------------------------------------------


def pool(call_id: UUID) -> tuple[PoolMember, ...]:
    """The evaluators of a call by name, with what they have and have done."""
    active = and_(Assignment.evaluator_id == Evaluator.id, Assignment.state == SeatState.ACTIVE.value)
    done = Assessment.state == AssessmentState.SUBMITTED.value
    rows = db.session.execute(
        select(
            Evaluator, User.name, User.handle, Organisation.name, func.count(Assignment.id),
            func.count(Assessment.id).filter(done),
        )
        .join(User, User.id == Evaluator.user_id)
        .outerjoin(Organisation, Organisation.id == Evaluator.organisation_id)
        .outerjoin(Assignment, active)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Evaluator.call_id == call_id)
        .group_by(Evaluator.id, User.name, User.handle, Organisation.name)
        .order_by(User.name, Evaluator.id)
        .limit(ROWS_MAX)
    )  # fmt: skip
    return tuple(_member(*row) for row in rows)


def _member(row: Evaluator, name: str, handle: str, organisation: str | None, load: int, submitted: int) -> PoolMember:
    return PoolMember(
        row.id, row.user_id, name, handle, organisation or "", row.organisation_id, row.country_code,
        tuple(row.languages), tuple(row.topics), row.load_min, row.load_max, row.version, load, submitted,
    )  # fmt: skip


def call_of(actor: Actor, slug: str, permission: Permission) -> CallView:
    """The call of that slug, if the permission holds there; :class:`NotFound` otherwise."""
    call = calls.call(actor, slug)
    if not actor.may(permission, Scope.of(("call", call.id))):
        raise NotFound
    return call


def assignments_page(actor: Actor, slug: str) -> AssignmentsPage:
    """Who may assess what, who does, and how the runs ended. A constant number of statements."""
    call = call_of(actor, slug, Permission.ASSIGNMENT_DECIDE)
    found = [one for one in consortia(call.id) if one.application_id not in actor.barred("application")]
    members = pool(call.id)
    stated = declarations(one.application_id for one in found)
    seats = _seat_views([one.application_id for one in found])
    rows = tuple(_matrix_row(one, members, stated, seats.get(one.application_id, []), call) for one in found)
    pool_ids = {member.user_id for member in members}
    undeclared = {
        member.user_id: sum((member.user_id, one.application_id) not in stated for one in found) for member in members
    }
    members = tuple(replace(member, undeclared=undeclared[member.user_id]) for member in members)
    conflicts = sum(rules.is_conflict(*said) for (user_id, _), said in stated.items() if user_id in pool_ids)
    return AssignmentsPage(
        call.id,
        call.slug,
        call.title,
        call.content.evaluators_per_application,
        members,
        rows,
        _doubts([one.application_id for one in found]),
        runs(call.id),
        sum(undeclared.values()),
        conflicts,
    )


def _matrix_row(
    about: Consortium,
    members: Sequence[PoolMember],
    stated: Mapping[tuple[UUID, UUID], tuple[Declared, Ruling | None]],
    seats: Sequence[SeatView],
    call: CallView,
) -> MatrixRow:
    active = tuple(seat for seat in seats if seat.state is SeatState.ACTIVE)
    seated = {seat.evaluator_id: seat for seat in active}
    cells = []
    for member in members:
        said = stated.get((member.user_id, about.application_id), (None, None))
        seat = seated.get(member.id)
        if seat is not None:
            cells.append("done" if seat.assessment is AssessmentState.SUBMITTED else "seat")
        elif rules.is_conflict(*said):
            cells.append("conflict")
        elif said[0] is None:
            cells.append("undeclared")
        elif rules.why_not(member, about, *said, apart="no"):
            cells.append("unsure")
        else:
            cells.append(str(rules.utility(member, about, call.content.language)))
    missing = max(0, call.content.evaluators_per_application - len(active))
    voided = tuple(seat for seat in seats if seat.state is SeatState.VOIDED)
    return MatrixRow(
        about.application_id, about.reference, about.title, about.cities, active, tuple(cells), voided, missing
    )


def _seat_views(application_ids: Sequence[UUID]) -> dict[UUID, list[SeatView]]:
    found: dict[UUID, list[SeatView]] = defaultdict(list)
    for seat, user_id, name, handle, state in db.session.execute(
        select(Assignment, User.id, User.name, User.handle, Assessment.state)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id.in_(application_ids))
        .order_by(User.name, Assignment.created_at, Assignment.id)
    ):
        found[seat.application_id].append(
            SeatView(
                seat.id,
                seat.evaluator_id,
                user_id,
                name,
                handle,
                SeatState(seat.state),
                seat.utility,
                seat.run_id is None,
                AssessmentState(state) if state else None,
                seat.void_reason or "",
            )
        )
    return found


def _doubts(application_ids: Sequence[UUID]) -> tuple[DoubtRow, ...]:
    """Doubts and conflicts of these applications, those without a ruling first."""
    rows = db.session.execute(
        select(ConflictDeclaration, User.name, User.handle, Application.reference, Application.title)
        .join(User, User.id == ConflictDeclaration.user_id)
        .join(Application, Application.id == ConflictDeclaration.application_id)
        .where(
            ConflictDeclaration.application_id.in_(application_ids),
            or_(ConflictDeclaration.declared != Declared.NONE.value, ConflictDeclaration.ruling.is_not(None)),
        )
        .order_by(ConflictDeclaration.ruling.is_not(None), User.name, Application.reference)
        .limit(ROWS_MAX)
    )
    return tuple(
        DoubtRow(
            row.id,
            name,
            handle,
            reference,
            title,
            Declared(row.declared),
            row.reason or "",
            row.declared_at,
            Ruling(row.ruling) if row.ruling else None,
            row.ruling_reason or "",
            row.version,
        )
        for row, name, handle, reference, title in rows
    )


def doubt(actor: Actor, slug: str, reference: str, handle: str) -> DoubtRow:
    """One declaration for the page where it is ruled on; :class:`NotFound` out of scope."""
    found = db.session.execute(
        select(Application.id, ConflictDeclaration.id)
        .join(ConflictDeclaration, ConflictDeclaration.application_id == Application.id)
        .join(User, User.id == ConflictDeclaration.user_id)
        .join(Call, Call.id == Application.call_id)
        .where(
            Call.slug == slug,
            Application.reference == reference,
            User.handle == handle,
            within(actor, Permission.CONFLICT_CONFIRM),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    rows = [row for row in _doubts([found[0]]) if row.id == found[1]]
    if not rows:
        raise NotFound
    return rows[0]


def runs(call_id: UUID) -> tuple[RunView, ...]:
    """The runs of a call, latest first."""
    rows = db.session.scalars(
        select(AssignmentRun).where(AssignmentRun.call_id == call_id).order_by(AssignmentRun.number.desc()).limit(20)
    )
    return tuple(
        RunView(
            row.number,
            RunStatus(row.status),
            row.created_at,
            row.seed,
            row.objective,
            row.bound,
            tuple(row.reasons),
            row.applications,
            row.evaluators,
            row.seats,
            row.seats_new,
            row.pairs_priced,
            row.rounds,
            row.input_sha256.hex(),
        )
        for row in rows
    )


def free_seat(
    actor: Actor, slug: str, reference: str
) -> tuple[ApplicationHead, tuple[tuple[PoolMember, str, int], ...]]:
    """An application with every evaluator of the pool: why not, or how well this person fits. Best first."""
    call = call_of(actor, slug, Permission.ASSIGNMENT_DECIDE)
    application = db.session.scalars(
        select(Application).where(
            Application.reference == reference,
            Application.call_id == call.id,
            Application.state.in_(IN_EVALUATION),
            within(actor, Permission.ASSIGNMENT_DECIDE),
        )
    ).one_or_none()
    if application is None:
        raise NotFound
    (about,) = consortia(call.id, only=[application.id])
    stated = declarations([application.id])
    taken = {seat.evaluator_id for seat in _seat_views([application.id]).get(application.id, [])}
    lines = []
    for member in pool(call.id):
        said = stated.get((member.user_id, application.id), (None, None))
        reason = rules.why_not(member, about, *said, apart="no")
        if member.id in taken:
            reason = f"{member.name} has or had a seat on it."
        elif not reason and member.load >= member.load_max:
            reason = f"{member.name} already has {member.load} of {member.load_max}."
        lines.append((member, reason, rules.utility(member, about, call.content.language)))
    lines.sort(key=lambda line: (line[1] != "", -line[2], line[0].name))
    return _head(application, call), tuple(lines)


def seat_of(actor: Actor, slug: str, reference: str, handle: str) -> tuple[ApplicationHead, SeatView]:
    """One active seat, named by the application's reference and the evaluator’s handle."""
    head, _ = free_seat(actor, slug, reference)
    for seat in _seat_views([head.id]).get(head.id, []):
        if seat.state is SeatState.ACTIVE and seat.handle == handle:
            return head, seat
    raise NotFound


def candidates(call_id: UUID) -> tuple[Person, ...]:
    """People with the evaluator's role who are not in this call's pool yet, by name."""
    inside = {member.user_id for member in pool(call_id)}
    scope = Scope.of(("call", call_id))
    return tuple(person for person in users_with(Permission.CONFLICT_DECLARE, scope) if person.id not in inside)


def refuse_conflict(user_id: UUID, application_id: UUID) -> None:
    """Raise :class:`NotFound` unless this person declared no conflict or was cleared. The last look before every deed."""
    faults.point("conflict")
    if not rules.stands_clear(*declaration_of(user_id, application_id)):
        raise NotFound


# --- what people must do next -----------------------------------------------------------------------------------


def duties(actor: Actor, at: datetime) -> tuple[Duty, ...]:
    """Conflicts to declare, sheets to fill, consensus to write or agree, seats to fill, doubts to rule on."""
    del at
    found: list[Duty] = []
    if actor.can(Permission.CONFLICT_DECLARE):
        found += _undeclared_duty(actor)
    if actor.can(Permission.ASSESSMENT_SCORE):
        found += _sheet_duties(actor)
    if actor.can(Permission.CONSENSUS_WRITE):
        found += _writing_duty(actor)
    if actor.can(Permission.ASSIGNMENT_DECIDE):
        found += _manager_duties(actor)
    return tuple(found)


def _many(count: int, one: str, several: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {several}"


def _undeclared_duty(actor: Actor) -> list[Duty]:
    mine = select(ConflictDeclaration.application_id).where(ConflictDeclaration.user_id == actor.user_id)
    count = db.session.scalar(
        select(func.count())
        .select_from(Application)
        .where(Application.state.in_(IN_EVALUATION), _must_declare(actor), Application.id.not_in(mine))
    )
    if not count:
        return []
    what = f"Declare whether you have a conflict of interest: {_many(count, 'application', 'applications')}"
    return [Duty(what, "You can open an application only after you have answered for it.", "Declare conflicts",
                 "evaluation.conflicts", count=count)]  # fmt: skip


def _sheet_duties(actor: Actor) -> list[Duty]:
    rows = db.session.execute(_my_seats(actor)).all()
    open_ones = [row for row in rows if row[4] is None or row[4].state != AssessmentState.SUBMITTED.value]
    to_agree = [row for row in rows if row[5] == ConsensusState.PROPOSED.value and row not in open_ones]
    found = []
    if open_ones:
        due = min((row[3].due_at for row in open_ones if row[3].due_at), default=None)
        found.append(
            Duty(
                f"Assess {_many(len(open_ones), 'application', 'applications')}",
                "The consensus waits for your scores and reasons.",
                "Go to my assessments",
                "evaluation.assessments",
                due_at=due,
                count=len(open_ones),
            )
        )
    agreed = _agreed_by_me(actor, [row[0].id for row in to_agree])
    waiting = [row for row in to_agree if row[0].id not in agreed]
    if waiting:
        found.append(
            Duty(
                f"Read and agree the consensus of {_many(len(waiting), 'application', 'applications')}",
                "The ranking waits until every evaluator has agreed.",
                "Go to the consensus",
                "evaluation.consensus_list",
                count=len(waiting),
            )
        )
    return found


def _agreed_by_me(actor: Actor, application_ids: Sequence[UUID]) -> set[UUID]:
    rows = db.session.execute(
        select(Consensus.application_id, Consensus.agreed_by).where(Consensus.application_id.in_(application_ids))
    )
    return {key for key, agreed in rows if any(entry["user_id"] == str(actor.user_id) for entry in agreed)}


def _writing_duty(actor: Actor) -> list[Duty]:
    ready = [
        row
        for row in consensus_list(actor)
        if row.seats and row.submitted == row.seats and row.state in (None, ConsensusState.DRAFT)
    ]
    if not ready:
        return []
    what = f"Write the consensus of {_many(len(ready), 'application', 'applications')}"
    return [Duty(what, "All assessments are in.", "Go to the consensus", "evaluation.consensus_list", count=len(ready))]


def _manager_duties(actor: Actor) -> list[Duty]:
    found = []
    for slug, title, doubts, applications, seats in _call_work(actor):
        if doubts:
            found.append(
                Duty(
                    f"Rule on {_many(doubts, 'doubt', 'doubts')} about conflicts of interest, {title}",
                    "The application stays closed for the evaluator until then.",
                    "Go to the assignments", "evaluation.assignments", {"slug": slug}, count=doubts,
                )
            )  # fmt: skip
        per = calls.call(actor, slug).content.evaluators_per_application
        missing = max(0, applications * per - seats)
        if missing:
            found.append(
                Duty(
                    f"Fill {_many(missing, 'seat', 'seats')} of evaluators, {title}",
                    f"Each of {_many(applications, 'application', 'applications')} needs {per} evaluators.",
                    "Go to the assignments", "evaluation.assignments", {"slug": slug}, count=missing,
                )
            )  # fmt: skip
    return found


def _call_work(actor: Actor) -> Sequence[Any]:
    """Calls in evaluation with open doubts, applications and active seats."""
    doubts = (
        select(func.count(ConflictDeclaration.id))
        .join(Application, Application.id == ConflictDeclaration.application_id)
        .where(
            Application.call_id == Call.id,
            Application.state.in_(IN_EVALUATION),
            ConflictDeclaration.declared == Declared.UNSURE.value,
            ConflictDeclaration.ruling.is_(None),
        )
        .scalar_subquery()
    )
    seats = (
        select(func.count(Assignment.id))
        .join(Application, Application.id == Assignment.application_id)
        .where(
            Application.call_id == Call.id,
            Application.state.in_(IN_EVALUATION),
            Assignment.state == SeatState.ACTIVE.value,
        )
        .scalar_subquery()
    )
    return db.session.execute(
        select(Call.slug, Call.title, doubts, func.count(Application.id), seats)
        .join(Application, Application.call_id == Call.id)
        .where(Application.state.in_(IN_EVALUATION), within(actor, Permission.ASSIGNMENT_DECIDE))
        .group_by(Call.id)
        .order_by(Call.reference)
        .limit(50)
    ).all()


def refuse_closed(application: Application) -> None:
    """Raise :class:`Refused` when an application is no longer in evaluation."""
    if application.state not in IN_EVALUATION:
        word = application.state.replace("_", " ")
        raise Refused(f"{application.reference} is {word}; it is no longer in evaluation. Nothing was changed.")
