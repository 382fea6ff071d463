"""The manager’s assignment page: applications with their seats by key, narrowed in the database, and the call counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, not_, or_, select, union_all

from grants.applications.models import Application, Submission
from grants.calls.rules import CallView
from grants.calls.rules.assigning import AssignmentRules
from grants.core import clock
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import matching, rules
from grants.evaluation.matching.proof import broken_groups
from grants.evaluation.models import (
    Assessment,
    Assignment,
    AssignmentRun,
    ConflictDeclaration,
    DetectedConflict,
    Evaluator,
)
from grants.evaluation.queries.accepting import terms_accepted
from grants.evaluation.queries.access import EVALUATED, IN_EVALUATION
from grants.evaluation.queries.applicants import cities_of, topics_picked
from grants.evaluation.queries.assignments import call_assigned, not_barred, runs, seat_views, sees_a_part
from grants.evaluation.queries.conflicts import doubts_where, waits_for_ruling
from grants.evaluation.queries.detected import detected_count
from grants.evaluation.queries.seats_seen import assesses, shown_to
from grants.evaluation.rules import (
    AssignmentsPage,
    LoadLine,
    SeatedRow,
    SeatFilter,
    SeatSearch,
    SeatTotals,
    SeatView,
    SinceRun,
)
from grants.evaluation.states import AssessmentState, Declared, DetectedState, Ruling, SeatState
from grants.identity.models import User

# How many doubts and conflicts the page shows; narrowed to one application it shows those of it.
DOUBTS_SHOWN = 50
EVERYTHING, FIRST = SeatSearch(), Page()
OPEN = Application.state.in_(IN_EVALUATION)
ACTIVE = Assignment.state == SeatState.ACTIVE.value
SUBMITTED = Assessment.state == AssessmentState.SUBMITTED.value


@reader
def assignments_page(
    actor: Actor, slug: str, search: SeatSearch = EVERYTHING, page: Page = FIRST
) -> Asking[AssignmentsPage]:
    """Who assesses what, by reference, and how the runs ended. Four statements, however many applications there are."""
    call = yield from call_assigned.asking(actor, slug)
    wanted = (listed(actor, call.id), *_narrowed(call, search))
    about_call: list[Asking[Any]] = [
        ask(_lines(wanted, page)),
        ask(select(func.count()).select_from(select(Application.id).where(*wanted).limit(COUNTED_MAX + 1).subquery())),
        _totals(actor, call.id), runs.asking(actor, call.id), detected_count.asking(actor, call.id),
        _since(actor, call.id), sees_a_part.asking(actor, call.id), _absent(call.id),
    ]  # fmt: skip
    found, ((count,),), totals, ran, waiting, since, partial, absent = yield from side_by_side(about_call)
    lines = cut(found, page, key=lambda row: row.reference_key, total=Tally.of(count))
    ids = [row.id for row in lines.items]
    about_rows: list[Asking[Any]] = [
        seat_views(ids), _told_of_rows(call.id, ids), loads_of(actor, ids), cities_of.asking(ids), topics_picked.asking(ids),
        doubts_where(
            Application.call_id == call.id, shown_to(actor),
            or_(waits_for_ruling(), Application.id.in_(ids)), most=DOUBTS_SHOWN + 1,
        ),
    ]  # fmt: skip
    seats, told, loads, cities, picked, doubts = yield from side_by_side(about_rows)
    topics = dict(rules.topic_choices(call.content.definition))
    rows = tuple(
        replace(
            _row(call, row, seats.get(row.id, []), cities.get(row.id, ""), told.get(row.id, (0, 0)), totals.pool),
            topics=tuple(topics.get(each, each) for each in sorted(picked.get(row.id, ()))),
        )
        for row in lines.items
    )
    return AssignmentsPage(
        call.id, call.slug, call.title, call.content.evaluators_per_application, call.content.assignment.roles, search,
        Rows(rows, lines.next_key, lines.total, lines.first), totals, loads,
        doubts[:DOUBTS_SHOWN], len(doubts) > DOUBTS_SHOWN, ran, waiting, since, topics, partial,
        tuple(one.name for one in absent),
    )  # fmt: skip


def _absent(call_id: UUID) -> Asking[Sequence[Any]]:
    """Who of a pool is not available today, by name."""
    today = clock.today()
    return (
        yield from ask(
            select(User.name)
            .join(Evaluator, Evaluator.user_id == User.id)
            .where(
                Evaluator.call_id == call_id,
                Evaluator.stepped_down_at.is_(None),
                or_(Evaluator.available_from > today, Evaluator.available_until < today),
            )
            .order_by(User.name, Evaluator.id)
            .limit(rules.RUN_EVALUATORS_MAX)
        )
    )


def listed(actor: Actor, call_id: UUID) -> ColumnElement[bool]:
    """The applications of the page: in evaluation, or evaluated here. What was recorded from elsewhere never had seats.

    What this person assesses is no row of it and in none of its figures, as ``may_see`` has it: each would tell who else does.
    """
    had_seats = and_(Application.state.in_(EVALUATED), _has_seat(literal(True)))
    return and_(Application.call_id == call_id, or_(OPEN, had_seats), shown_to(actor), not_(assesses(actor)))


def _seats_of_row(what: Any, *conditions: ColumnElement[bool]) -> Select[Any]:
    """A question about the seats of the application beside it, with who has them and their sheets."""
    return (
        select(what)
        .select_from(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id == Application.id, *conditions)
        .correlate(Application)
    )


def _has_seat(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return _seats_of_row(Assignment.id, *conditions).exists()


def _narrowed(call: CallView, search: SeatSearch) -> list[ColumnElement[bool]]:
    """The conditions of the search; everything but words asks for what is in evaluation still."""
    wanted: list[ColumnElement[bool]] = []
    if search.text:
        wanted.append(
            or_(
                Application.title.icontains(search.text, autoescape=True),
                Application.reference.icontains(search.text, autoescape=True),
            )
        )
    if search.topic:
        wanted.append(_picked(call, search.topic))
    match search.only:
        case SeatFilter.FREE:
            filled = _seats_of_row(func.count(Assignment.id), ACTIVE).scalar_subquery()
            wanted.append(filled < call.content.evaluators_per_application)
        case SeatFilter.LATE:
            unsent = Assessment.state.is_distinct_from(AssessmentState.SUBMITTED.value)
            wanted.append(_has_seat(ACTIVE, Assignment.due_at < clock.now(), unsent))
        case SeatFilter.NOT_ACCEPTED:
            wanted.append(_has_seat(ACTIVE, not_(terms_accepted(Evaluator.user_id, Evaluator.call_id))))
        case SeatFilter.GIVEN_BACK:
            back = Assignment.void_reason.startswith(rules.GIVEN_BACK, autoescape=True)
            wanted.append(_has_seat(Assignment.state == SeatState.VOIDED.value, back))
        case SeatFilter.ROLE:
            lacks = [
                not_(_has_seat(ACTIVE, Evaluator.roles.contains([role]))) for role in call.content.assignment.roles
            ]
            wanted.append(or_(literal(False), *lacks))
    return [*wanted, OPEN] if search.only else wanted


def _picked(call: CallView, topic: str) -> ColumnElement[bool]:
    """That the application picked this topic in what it sent."""
    answers = Submission.content["answers"]["answers"]
    asked = [
        answers.contains([{"question": key, "picked": [topic]}])
        for key in rules.topic_questions(call.content.definition)
    ]
    sent = select(Submission.id).where(Submission.id == Application.submission_id, or_(literal(False), *asked))
    return sent.correlate(Application).exists()


def _lines(wanted: Sequence[ColumnElement[bool]], page: Page) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Application.id,
        Application.reference,
        Application.reference_key,
        Application.title,
        Application.state,
    )
    return (
        select(*columns)
        .where(*wanted, Application.reference_key > (page.after or ""))
        .order_by(Application.reference_key)
        .limit(page.limit)
    )


def _totals(actor: Actor, call_id: UUID) -> Asking[SeatTotals]:
    """The seats of the whole call and what its pool declared, counted; the search changes nothing of it."""
    of_page = listed(actor, call_id)
    may_move = and_(OPEN, Assignment.run_id.is_not(None), not_(Assignment.locked), Assessment.id.is_(None))
    seated = (
        select(
            func.count(Assignment.id).label("filled"), func.count(Assignment.id).filter(OPEN).label("filled_open"),
            func.count(Assignment.id).filter(SUBMITTED).label("submitted"),
            func.count(Assignment.id).filter(may_move).label("movable"),
        )
        .join(Application, Application.id == Assignment.application_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(ACTIVE, of_page)
    )  # fmt: skip
    told = _told(call_id, of_page)
    asked: list[Asking[Any]] = [
        ask(select(func.count(Application.id), func.count(Application.id).filter(OPEN)).where(of_page)),
        ask(seated),
        ask(
            select(
                func.count().filter(told.c.open_still).label("told"), func.count().filter(told.c.conflict).label("apart")
            ).select_from(told)
        ),
        ask(
            select(
                func.count(Evaluator.id).filter(Evaluator.stepped_down_at.is_(None)),
                func.count(Evaluator.id).filter(Evaluator.stepped_down_at.is_not(None)),
            ).where(Evaluator.call_id == call_id)
        ),
    ]  # fmt: skip
    ((every, still),), (seats,), (said,), ((pool, gone),) = yield from side_by_side(asked)
    return SeatTotals(
        every, still, seats.filled_open, seats.filled, seats.submitted, seats.movable, pool, said.told, said.apart, gone
    )


def _since(actor: Actor, call_id: UUID) -> Asking[SinceRun]:
    """What came after the last run, of applications this person sees; nothing before the first run."""
    made_at = select(func.max(AssignmentRun.created_at)).where(AssignmentRun.call_id == call_id).scalar_subquery()
    of_call = (Application.call_id == call_id, OPEN, shown_to(actor), not_(assesses(actor)))
    about, found = ConflictDeclaration, DetectedConflict
    told, ruled = (
        select(func.count(row.id))
        .join(Application, Application.id == row.application_id)
        .join(Evaluator, and_(Evaluator.user_id == row.user_id, Evaluator.call_id == call_id))
        .where(*of_call, when > made_at)
        .scalar_subquery()
        for row, when in ((about, func.greatest(about.declared_at, about.ruled_at)), (found, found.decided_at))
    )
    seats = (
        select(func.count(Assignment.id))
        .join(Application, Application.id == Assignment.application_id)
        .where(
            *of_call, or_(and_(Assignment.created_at > made_at, Assignment.run_id.is_(None)), Assignment.voided_at > made_at)
        )
        .scalar_subquery()
    )  # fmt: skip
    pool = select(func.count(Evaluator.id)).where(Evaluator.call_id == call_id)
    ((said, decided, moved, joined, left),) = yield from ask(
        select(
            *(told, ruled, seats, pool.where(Evaluator.created_at > made_at).scalar_subquery()),
            pool.where(Evaluator.stepped_down_at > made_at).scalar_subquery(),
        )
    )
    return SinceRun(said + decided, moved, joined, left)


def _there(call_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """The pool of a call without those who stepped down."""
    return (Evaluator.call_id == call_id, Evaluator.stepped_down_at.is_(None))


def _told(call_id: UUID, *wanted: ColumnElement[bool]) -> Subquery:
    """One row for each pair of a member of the pool and such an application about which something stands.

    Who stepped down takes no seat any more: nothing is awaited from them.
    """
    conflict = or_(
        ConflictDeclaration.ruling == Ruling.CONFIRMED.value,
        and_(ConflictDeclaration.ruling.is_(None), ConflictDeclaration.declared == Declared.CONFLICT.value),
    )
    said = union_all(
        select(
            ConflictDeclaration.user_id, ConflictDeclaration.application_id,
            func.coalesce(conflict, False).label("conflict"),
        ),
        select(DetectedConflict.user_id, DetectedConflict.application_id, literal(True)).where(
            DetectedConflict.state == DetectedState.CONFIRMED.value
        ),
    ).subquery()  # fmt: skip
    return (
        select(
            Application.id.label("application_id"),
            func.bool_or(said.c.conflict).label("conflict"),
            func.bool_or(OPEN).label("open_still"),
        )
        .join(said, said.c.application_id == Application.id)
        .join(Evaluator, and_(Evaluator.user_id == said.c.user_id, *_there(call_id)))
        .where(Application.call_id == call_id, *wanted)
        .group_by(Application.id, Evaluator.id)
        .subquery()
    )


def _told_of_rows(call_id: UUID, ids: Sequence[UUID]) -> Asking[dict[UUID, tuple[int, int]]]:
    """Of these applications how many of the pool have said something, and how many have a conflict."""
    told = _told(call_id, Application.id.in_(ids))
    rows = yield from ask(
        select(
            told.c.application_id,
            func.count().label("told"),
            func.count().filter(told.c.conflict).label("apart"),
        ).group_by(told.c.application_id)
    )
    return {row.application_id: (row.told, row.apart) for row in rows}


def loads_of(actor: Actor, ids: Sequence[UUID] | Select[Any]) -> Asking[tuple[LoadLine, ...]]:
    """Everybody seated on these applications by name, with all seats they have in the call that this person may know of.

    One more than they see would tell who assesses what is shut to them.
    """
    here = select(Assignment.evaluator_id).where(Assignment.application_id.in_(ids), ACTIVE)
    rows = yield from ask(
        select(
            *(User.name, User.handle, func.count(Assignment.id).label("load")),
            *(Evaluator.load_min, Evaluator.load_max, func.count(Assessment.id).filter(SUBMITTED).label("submitted")),
        )
        .join(User, User.id == Evaluator.user_id)
        .join(Assignment, and_(Assignment.evaluator_id == Evaluator.id, ACTIVE, not_barred(actor)))
        .join(Application, and_(Application.id == Assignment.application_id, not_(assesses(actor))))
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Evaluator.id.in_(here))
        .group_by(Evaluator.id, User.name, User.handle)
        .order_by(User.name, User.handle)
    )
    return tuple(LoadLine(row.name, row.handle, row.load, row.load_min, row.load_max, row.submitted) for row in rows)


def _row(
    call: CallView, row: Any, seats: Sequence[SeatView], cities: str, told: tuple[int, int], pool: int
) -> SeatedRow:
    active = tuple(seat for seat in seats if seat.state is SeatState.ACTIVE)
    voided = tuple(seat for seat in seats if seat.state is SeatState.VOIDED)
    open_still = row.state in IN_EVALUATION
    missing = max(0, call.content.evaluators_per_application - len(active)) if open_still else 0
    said, conflicts = told
    return SeatedRow(
        row.id, row.reference, row.title, cities, active, voided, missing, open_still, conflicts,
        pool - said if open_still else 0, _lacking(call, row.id, active) if open_still and active else (),
    )  # fmt: skip


def group_rules(settings: AssignmentRules) -> matching.GroupRules:
    """The rules of a call on the evaluators of one application, as the assignment knows them."""
    return matching.GroupRules(
        settings.country_max, settings.organisation_max, settings.roles, settings.reader, settings.balance
    )


def _lacking(call: CallView, application_id: UUID, seats: Sequence[SeatView]) -> tuple[str, ...]:
    settings = call.content.assignment
    seats_each = max(1, call.content.evaluators_per_application)
    instance = matching.Instance((), (), seats_each, groups=group_rules(settings))
    people = [
        matching.Seatholder(
            seat.evaluator_id, 0, 0, seat.name, seat.country_code, seat.belongs,
            frozenset(seat.roles), frozenset(seat.languages),
            gender=seat.gender.counted if settings.balance and seat.gender else "",
        )
        for seat in seats
    ]  # fmt: skip
    subject = matching.Subject(application_id, "", call.content.language)
    return rules.lacking_words(broken_groups(instance, subject, people))
