"""What an evaluator finds of their own sheets alone: the seat behind a page, and every version of a field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.dossiers.queries.versions import AnswerVersionView, History
from grants.dossiers.rules import Definition, Question
from grants.evaluation import rules
from grants.evaluation.models import Assessment, AssessmentScore, AssessmentVersion
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.queries.field_versions import field_in, history_of, version_of
from grants.evaluation.queries.score_sheets import assessments, my_seats
from grants.evaluation.queries.work import unanswered
from grants.evaluation.rules import AssessmentPage, AssessmentRow, DraftSheet, MarkInput, SheetView
from grants.evaluation.states import AssessmentState


def own_seat_id(actor: Actor, reference: str) -> UUID:
    """The open seat of this person on an application; :class:`NotFound` without one."""
    row = db.session.execute(my_seats(actor).where(Application.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    found: UUID = row.seat_id
    return found


@reader
def assessments_and_undeclared(actor: Actor) -> Asking[tuple[tuple[AssessmentRow, ...], int]]:
    """The own list, and about how many applications are still to be declared."""
    return (yield from both(assessments.asking(actor), unanswered.asking(actor)))


@reader
def drafts(actor: Actor) -> Asking[tuple[DraftSheet, ...]]:
    """The own sheets that are begun and not submitted, by reference, with what each still needs."""
    begun = my_seats(actor).where(Assessment.state == AssessmentState.DRAFT.value)
    said = (Assessment.remark, Assessment.version.label("shown"), Assessment.saved_at, Assessment.numbers)
    seats = yield from ask(begun.add_columns(*said).order_by(Application.reference))
    about: list[Asking[Any]] = [
        ask(select(AssessmentScore).where(AssessmentScore.assessment_id.in_([seat.sheet_id for seat in seats]))),
        calls.call_views.asking({seat.call_id for seat in seats}),
        cities_of.asking([seat.id for seat in seats]),
    ]
    scores, views, cities = yield from side_by_side(about)
    marks: dict[UUID, dict[str, MarkInput]] = defaultdict(dict)
    for each in scores:
        marks[each.assessment_id][each.criterion] = MarkInput(each.criterion, each.half, each.comment)
    return tuple(
        _draft(actor, seat, views[seat.call_id], cities.get(seat.id, ""), marks[seat.sheet_id]) for seat in seats
    )


def _draft(actor: Actor, seat: Any, call: CallView, cities: str, marks: Mapping[str, MarkInput]) -> DraftSheet:
    content = call.content
    ordered = tuple(marks.get(one.key, MarkInput(one.key, None)) for one in content.criteria)
    missing = rules.problems(rules.SheetInput(ordered, seat.remark), content.marking)
    return DraftSheet(
        head_of(seat, cities, call),
        content.criteria,
        content.marking,
        SheetView(
            seat.sheet_id, actor.name, AssessmentState.DRAFT, ordered, seat.remark, seat.shown, seat.saved_at, None,
            seat.numbers,
        ),
        tuple(each.message for each in missing),
    )  # fmt: skip


def form_of(shown: AssessmentPage) -> Definition:
    """The sheet of a page as a form of questions."""
    return rules.asked(shown.marking, rules.REMARK_WORDS)


def field_of(shown: AssessmentPage, name: str) -> Question:
    """One field of the sheet; :class:`NotFound` for a name that is none."""
    return field_in(form_of(shown), name)


def field_history(shown: AssessmentPage, name: str, before: int | None = None) -> History:
    """Versions of one field of the own sheet, newest first, what was saved within ten minutes together."""
    return history_of(field_of(shown, name), _versions_of(shown, name), AssessmentVersion.number, before)


def field_version(shown: AssessmentPage, name: str, number: int) -> AnswerVersionView:
    """One version of a field of the own sheet; :class:`NotFound`."""
    return version_of(field_of(shown, name), _versions_of(shown, name).where(AssessmentVersion.number == number))


def _versions_of(shown: AssessmentPage, name: str) -> Select[Any]:
    return select(AssessmentVersion).where(
        AssessmentVersion.assessment_id == shown.sheet.assessment_id, AssessmentVersion.field == name
    )
