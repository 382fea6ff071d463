"""The list of the eligibility desk: where each application of a call is, how long it waits, and what is open in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, Clarification, EligibilityCheck, EligibilityResult
from grants.applications.queries.clarifying import is_open
from grants.applications.queries.reach import visible
from grants.applications.rules import DeskRow, DeskShow
from grants.applications.states import ApplicationState, Verdict
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity.models import Organisation, User

S = ApplicationState


def _of(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    found = exists().where(EligibilityCheck.submission_id == Application.submission_id, *conditions)
    # Only the application comes from outside, also where the check stands beside it.
    return found.correlate(Application)


def shown(show: DeskShow) -> ColumnElement[bool]:
    """The condition on :class:`Application` for one part of the list."""
    submitted = Application.state == S.SUBMITTED.value
    proposed, decided = _of(EligibilityCheck.proposed_by.is_not(None)), _of(EligibilityCheck.verdict.is_not(None))
    match show:
        case DeskShow.TO_CHECK:
            return and_(submitted, ~proposed, ~decided, ~is_open(clock.now()))
        case DeskShow.CLARIFYING:
            return and_(submitted, is_open(clock.now()))
        case DeskShow.SECOND:
            return and_(submitted, proposed)
        case DeskShow.LETTER:
            return and_(submitted, decided)
        case DeskShow.DONE:
            return and_(~submitted, decided)


def _inside(actor: Actor, call: CallView) -> tuple[ColumnElement[bool], ...]:
    return Application.call_id == call.id, Application.submission_id.is_not(None), visible(actor)


@reader
def desk_list(
    actor: Actor, call: CallView, show: DeskShow, page: Page
) -> Asking[tuple[Rows[DeskRow], dict[DeskShow, Tally]]]:
    """One page of a part of the list by reference, and how many each part holds, up to a thousand; one statement."""
    counting = side_by_side(_count(actor, call, each) for each in DeskShow)
    found, tallies = yield from both(_rows(actor, call, show, page), counting)
    counts = dict(zip(DeskShow, tallies, strict=True))
    return cut(found, page, key=lambda row: row.reference, total=counts[show]), counts


def _count(actor: Actor, call: CallView, show: DeskShow) -> Asking[Tally]:
    some = select(literal(1)).select_from(Application).where(*_inside(actor, call), shown(show)).limit(COUNTED_MAX + 1)
    ((number,),) = yield from ask(select(func.count().label("number")).select_from(some.subquery()))
    return Tally.of(number)


def _rows(actor: Actor, call: CallView, show: DeskShow, page: Page) -> Asking[tuple[DeskRow, ...]]:
    lead, proposer, decider = aliased(Organisation), aliased(User), aliased(User)
    check = EligibilityCheck
    answers = select(func.count()).where(EligibilityResult.check_id == check.id)
    failed = answers.where(EligibilityResult.verdict == Verdict.FAIL.value)
    due = select(func.min(Clarification.due_at)).where(
        Clarification.submission_id == Application.submission_id,
        Clarification.answered_at.is_(None),
        Clarification.withdrawn_at.is_(None),
    )
    statement = (
        select(
            due.correlate(Application).scalar_subquery().label("answer_due_at"),
            *(Application.reference, Application.title, Application.acronym, Application.state),
            *(Application.requested, Application.submitted_at, lead.name.label("lead"), lead.country_code),
            *(check.verdict, check.decided_at, check.proposed_at, check.proposed_by, check.return_reason),
            proposer.name.label("proposer"),
            decider.name.label("decider"),
            answers.scalar_subquery().label("answered"),
            failed.scalar_subquery().label("failed"),
        )
        .join(lead, lead.id == Application.coordinator_id)
        .outerjoin(check, check.submission_id == Application.submission_id)
        .outerjoin(proposer, proposer.id == check.proposed_by)
        .outerjoin(decider, decider.id == check.decided_by)
        .where(*_inside(actor, call), shown(show))
    )
    if page.after:
        statement = statement.where(Application.reference > page.after)
    found = yield from ask(statement.order_by(Application.reference).limit(page.limit))
    return tuple(_row(row) for row in found)


def _row(row: Any) -> DeskRow:
    return DeskRow(
        reference=row.reference,
        name=row.acronym or row.title,
        state=ApplicationState(row.state),
        lead=row.lead,
        country_code=row.country_code,
        requested=row.requested,
        submitted_at=row.submitted_at,
        answered=row.answered,
        failed=row.failed,
        verdict=Verdict(row.verdict) if row.verdict else None,
        decided_at=row.decided_at,
        decider=row.decider or "",
        proposed_at=row.proposed_at,
        proposer=row.proposer or "",
        returned=bool(row.return_reason) and row.verdict is None and row.proposed_by is None,
        answer_due_at=row.answer_due_at if row.verdict is None else None,
    )
