"""Assessments of a call that are missing, whom a reminder would reach, and who was reminded: for who decides assignments.

Of an application that is shut to the person, or that they assess themselves, nothing is told here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, cast, collate, func, not_, or_, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.duties import Duty, every
from grants.core.paging import COUNTED_MAX, Page, Tally, cut
from grants.core.permissions import Actor
from grants.core.together import EVERY, Asking, ask, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.models import Assessment, Assignment, AssignmentReminder, Evaluator, SheetPlace
from grants.evaluation.queries.accepting import terms_accepted
from grants.evaluation.queries.access import READS_ASSIGNMENTS
from grants.evaluation.queries.assignments import call_assigned
from grants.evaluation.queries.seating import ACTIVE, FIRST, OPEN
from grants.evaluation.queries.seats_seen import may_see
from grants.evaluation.rules import (
    MissingFilter,
    MissingPage,
    MissingRow,
    MissingSearch,
    MissingTotals,
    ReminderLine,
    ReminderPlan,
    RemindersPage,
    ReminderView,
    RemindInput,
)
from grants.evaluation.states import AssessmentState, SeatState
from grants.identity import queries as identity
from grants.identity.models import User

DUTIES_MAX = 50
REMINDER_MAIL = "assessment_missing"
UNSENT = Assessment.state.is_distinct_from(AssessmentState.SUBMITTED.value)
NO_SEARCH = MissingSearch()
# By day, what has none after every digit, then by application and person; bytes, not the habits of a language.
KEY: ColumnElement[str] = collate(
    func.coalesce(func.to_char(func.timezone("UTC", Assignment.due_at), "YYYYMMDDHH24MISS"), "z")
    + " " + Application.reference + " " + User.handle,
    "C",
)  # fmt: skip


@reader
def missing_page(actor: Actor, slug: str, search: MissingSearch = NO_SEARCH, page: Page = FIRST) -> Asking[MissingPage]:
    """Who has what not in, the earliest day first. Two statements, however many there are."""
    call = yield from call_assigned.asking(actor, slug)
    wanted = (*_missing_of(actor, call.id), *_narrowed(search))
    asked: list[Asking[Any]] = [
        ask(_rows().where(*wanted, (page.after or "") < KEY).order_by(KEY).limit(page.limit)),
        ask(select(func.count()).select_from(_joined(select(Assignment.id)).where(*wanted).limit(COUNTED_MAX + 1).subquery())),
        _totals(actor, call.id), _days_in(actor, call.id),
    ]  # fmt: skip
    found, ((count,),), totals, days = yield from side_by_side(asked)
    rows = cut([_row(each) for each in found], page, key=lambda row: row.key, total=Tally.of(count))
    return MissingPage(call.id, call.slug, call.title, search, rows, totals, rules.days_in(days))


@reader
def missing_seats(
    actor: Actor, call: CallView, search: MissingSearch, most: int = rules.REMINDED_MAX
) -> Asking[tuple[tuple[UUID, ...], int]]:
    """The seats the whole list holds, as far as one deed of reminding goes, and how many more there are."""
    wanted = (*_missing_of(actor, call.id), *_narrowed(search))
    listed: tuple[Any, ...] = (Assignment.id, EVERY)
    rows = yield from ask(_joined(select(*listed)).where(*wanted).order_by(KEY).limit(most))
    return tuple(row.id for row in rows), every(rows) - len(rows)


@reader
def late_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """For each call the assessments to remind of: late, or due soon and not begun. One statement.

    Who was reminded of one within a day is left alone until then, as the page of reminders does.
    """
    late, rested = Assignment.due_at < at, AssignmentReminder.created_at > at - rules.REMIND_AGAIN
    not_begun = Assessment.id.is_(None)
    soon = and_(Assignment.due_at.between(at, at + rules.DUE_SOON), not_begun)
    counts: tuple[Any, ...] = (
        func.count(Assignment.id).filter(late).label("late"),
        func.count(Assignment.id).filter(late, not_begun).label("not_begun"),
        func.count(Assignment.id).filter(soon).label("soon"),
        func.min(Assignment.due_at).label("due_at"),
    )
    rows = yield from ask(
        _joined(select(Call.slug, Call.title, *counts))
        .join(Call, Call.id == Application.call_id)
        .where(may_see(actor), OPEN, ACTIVE, UNSENT, or_(late, soon))
        .where(not_(_reminders(AssignmentReminder.id).where(rested).exists()))
        .group_by(Call.id)
        .order_by(Call.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            *rules.to_remind(row.late, row.not_begun, row.soon, row.title), "Go to the missing assessments",
            "evaluation.missing", {"slug": row.slug, "only": "late" if row.late else "soon"}, row.due_at,
        )
        for row in rows
    ]  # fmt: skip


def _joined(what: Select[Any]) -> Select[Any]:
    return (
        what.select_from(Assignment)
        .join(Application, Application.id == Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(SheetPlace, SheetPlace.assignment_id == Assignment.id)
    )


def _missing_of(actor: Actor, call_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (Application.call_id == call_id, may_see(actor, *READS_ASSIGNMENTS), OPEN, ACTIVE, UNSENT)


def _reminders(what: Any) -> Select[Any]:
    return (
        select(what)
        .select_from(AssignmentReminder)
        .where(AssignmentReminder.assignment_id == Assignment.id)
        .correlate(Assignment)
    )


def _rows() -> Select[Any]:
    by = aliased(User)
    last_by = (
        _reminders(by.name)
        .join(by, by.id == AssignmentReminder.reminded_by)
        .order_by(AssignmentReminder.created_at.desc(), AssignmentReminder.id)
        .limit(1)
    )
    return _joined(
        select(
            *(Assignment.id, Evaluator.user_id, Application.reference, Application.title, User.name, User.handle),
            *(Assignment.due_at, Assessment.id.is_not(None).label("begun")),
            not_(terms_accepted(Evaluator.user_id, Evaluator.call_id)).label("must_accept"),
            func.greatest(SheetPlace.at, Assessment.saved_at, type_=Assessment.saved_at.type).label("seen_at"),
            _reminders(func.count()).scalar_subquery().label("reminders"),
            _reminders(func.max(AssignmentReminder.created_at)).scalar_subquery().label("reminded_at"),
            last_by.scalar_subquery().label("reminded_by"),
            KEY.label("key"),
        )
    )


def _row(row: Any) -> MissingRow:
    return MissingRow(
        row.id, row.user_id, row.reference, row.title, row.name, row.handle, row.due_at, row.begun, row.must_accept,
        row.seen_at, row.reminders, row.reminded_at, row.reminded_by or "", row.key,
    )  # fmt: skip


def _narrowed(search: MissingSearch) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if search.text:
        words = (Application.title, Application.reference, User.name)
        wanted.append(or_(*(one.icontains(search.text, autoescape=True) for one in words)))
    now = clock.now()
    match search.only:
        case MissingFilter.LATE:
            wanted.append(Assignment.due_at < now)
        case MissingFilter.SOON:
            wanted.append(Assignment.due_at.between(now, now + rules.DUE_SOON))
        case MissingFilter.NO_DAY:
            wanted.append(Assignment.due_at.is_(None))
        case MissingFilter.NOT_BEGUN:
            wanted.append(Assessment.id.is_(None))
        case MissingFilter.NOT_REMINDED:
            wanted.append(not_(_reminders(AssignmentReminder.id).exists()))
    return wanted


def _totals(actor: Actor, call_id: UUID) -> Asking[MissingTotals]:
    now = clock.now()
    counts: tuple[Any, ...] = (
        func.count(Assignment.id).label("missing"),
        func.count(Assignment.id).filter(Assignment.due_at < now).label("late"),
        func.count(Assignment.id).filter(Assignment.due_at.between(now, now + rules.DUE_SOON)).label("soon"),
        func.count(Assignment.id).filter(Assessment.id.is_(None)).label("not_begun"),
        func.count(Evaluator.id.distinct()).label("people"),
    )
    (row,) = yield from ask(_joined(select(*counts)).where(*_missing_of(actor, call_id)))
    return MissingTotals(row.missing, row.late, row.soon, row.not_begun, row.people)


def _days_in(actor: Actor, call_id: UUID) -> Asking[list[tuple[date, int]]]:
    """The days on which assessments of the seats came in that this person sees, and how many."""
    day = cast(func.timezone(clock.BRUSSELS, Assessment.submitted_at), Date)
    counted: tuple[Any, ...] = (day.label("day"), func.count(Assignment.id).label("number"))
    rows = yield from ask(
        _joined(select(*counted))
        .where(Application.call_id == call_id, may_see(actor, *READS_ASSIGNMENTS), OPEN, ACTIVE, not_(UNSENT))
        .group_by("day")
        .order_by("day")
    )
    return [(row.day, row.number) for row in rows]


@reader
def reminder_plan(actor: Actor, call: CallView, values: RemindInput) -> Asking[ReminderPlan]:
    """Whom a reminder of these seats would reach, each with the very mail; who was reminded within a day needs a reason.

    A seat the person may not see, or whose assessment came in, is as good as none: it is counted as gone.
    """
    now = clock.now()
    chosen = values.seat_ids[: rules.REMINDED_MAX]
    found = yield from ask(_rows().where(*_missing_of(actor, call.id), Assignment.id.in_(chosen)).order_by(KEY))
    rows: dict[UUID, list[MissingRow]] = {}
    for each in found:
        rows.setdefault(each.user_id, []).append(_row(each))
    about: list[Asking[Any]] = [_reminded_lately(actor, list(rows), now), identity.people.asking(rows)]
    again, people = yield from side_by_side(about)
    mails = identity.rendered_mails(
        REMINDER_MAIL,
        {user_id: mail_context(call, seats, values.message, now) for user_id, seats in rows.items()},
    )
    lines = [
        ReminderLine(
            user_id, people[user_id].name, tuple(seats), mails[user_id], again.get(user_id),
            user_id in again and not values.reason,
        )
        for user_id, seats in rows.items()
    ]  # fmt: skip
    ordered = sorted(lines, key=lambda line: (line.name, str(line.user_id)))
    return ReminderPlan(tuple(ordered), len(set(chosen)) - len(found), values.reason)


def mail_context(call: CallView, seats: Sequence[MissingRow], message: str, at: datetime) -> dict[str, object]:
    """What the mail says. No application is named: whoever may read mails need not be allowed to know who assesses it."""
    due = rules.due_sentence([seat.due_at for seat in seats], at)
    return {"call_title": call.title, "count": len(seats), "due": due, "message": message}


def _reminded_lately(actor: Actor, user_ids: Collection[UUID], at: datetime) -> Asking[dict[UUID, datetime]]:
    """Of these people those who were reminded within a day of an assessment this person may see, of any call, with when.

    Of what is shut to them nothing counts: a mail that is held back would say who assesses it.
    """
    rows = yield from ask(
        select(Evaluator.user_id, func.max(AssignmentReminder.created_at).label("at"))
        .join(Assignment, Assignment.id == AssignmentReminder.assignment_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Application, Application.id == Assignment.application_id)
        .where(Evaluator.user_id.in_(user_ids), AssignmentReminder.created_at > at - rules.REMIND_AGAIN, may_see(actor))
        .group_by(Evaluator.user_id)
    )
    return {row.user_id: row.at for row in rows}


@reader
def reminders_page(actor: Actor, slug: str, page: Page = FIRST) -> Asking[RemindersPage]:
    """Who was reminded of what when and by whom, newest first; what became of it."""
    call = yield from call_assigned.asking(actor, slug)
    by = aliased(User)
    key = collate(
        func.to_char(func.timezone("UTC", AssignmentReminder.created_at), "YYYYMMDDHH24MISSUS")
        + " " + Application.reference + " " + User.handle,
        "C",
    )  # fmt: skip
    sent = (
        _joined(select(AssignmentReminder.id))
        .join(AssignmentReminder, AssignmentReminder.assignment_id == Assignment.id)
        .join(by, by.id == AssignmentReminder.reminded_by)
        .where(Application.call_id == call.id, may_see(actor, *READS_ASSIGNMENTS))
    )
    shown = sent.with_only_columns(
        key.label("key"), Application.reference, Application.title, User.name, AssignmentReminder.created_at,
        by.name.label("reminded_by"), AssignmentReminder.message, AssignmentReminder.reason,
        Assignment.state, and_(Assessment.id.is_not(None), not_(UNSENT)).label("submitted"),
    ).order_by(key.desc()).limit(page.limit)  # fmt: skip
    if page.after:
        shown = shown.where(key < page.after)
    asked: list[Asking[Any]] = [
        ask(shown), ask(select(func.count()).select_from(sent.limit(COUNTED_MAX + 1).subquery())),
    ]  # fmt: skip
    found, ((count,),) = yield from side_by_side(asked)
    views = [
        ReminderView(
            row.key, row.reference, row.title, row.name, row.created_at, row.reminded_by, row.message,
            row.reason or "", _outcome(row),
        )
        for row in found
    ]  # fmt: skip
    rows = cut(views, page, key=lambda one: one.number, total=Tally.of(count))
    return RemindersPage(call.slug, call.title, rows)


def _outcome(row: Any) -> str:
    if row.state != SeatState.ACTIVE.value:
        return "The seat was emptied"
    return "Submitted" if row.submitted else "Still missing"
