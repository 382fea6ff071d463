"""The list of consensus: what each one waits for and for whom, widest disagreement first, in pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, literal, or_, select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls.models import Call
from grants.calls.queries import call_views
from grants.calls.rules import CallView
from grants.core.db import among
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Consensus, Evaluator
from grants.evaluation.queries.applicants import cities_of
from grants.evaluation.queries.consensus import may_open, widest
from grants.evaluation.rules import ConsensusRow
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity.models import User

# More calls under evaluation at a time are named in no list of choices.
CALLS_MAX = 200


@reader
def consensus_list(actor: Actor, page: Page | None = None, of_call: str = "") -> Asking[Rows[ConsensusRow]]:
    """Applications whose consensus this person may open, of one call where it is named, widest disagreement first.

    Two statements a page.
    """
    asked = page or Page()
    wanted = Call.slug == of_call if of_call else literal(True)
    apart = widest(Application.state == ApplicationState.UNDER_EVALUATION.value)
    spread = func.coalesce(apart.c.spread, 0)
    after = []
    number, _, reference = (asked.after or "").partition(" ")
    if number.isascii() and number.isdecimal() and len(number) < 4 and reference:
        after = [or_(spread < int(number), and_(spread == int(number), Application.reference > reference))]
    rows = yield from ask(
        select(
            *(Application.id, Application.reference, Application.title, Application.call_id),
            *(Call.slug, Call.title.label("call_title")),
            *(Consensus.state, Consensus.agreed_by, spread.label("spread")),
        )
        .join(Call, Call.id == Application.call_id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .outerjoin(apart, apart.c.application_id == Application.id)
        .where(Application.state == ApplicationState.UNDER_EVALUATION.value, may_open(actor), wanted, *after)
        .order_by(spread.desc(), Application.reference)
        .limit(asked.limit)
    )
    ids = [row.id for row in rows]
    beside: list[Asking[Any]] = [
        _seats(ids), cities_of.asking(ids), call_views.asking({row.call_id for row in rows}), _ends(ids),
    ]  # fmt: skip
    seats, cities, views, ends = yield from side_by_side(beside)
    found = cut(rows, asked, key=lambda row: f"{row.spread} {row.reference}")
    return Rows(
        tuple(
            _line(row, seats.get(row.id, ()), cities.get(row.id, ""), views[row.call_id], ends.get(row.id, {}))
            for row in found.items
        ),
        found.next_key, found.total, found.first,
    )  # fmt: skip


@reader
def consensus_calls(actor: Actor) -> Asking[tuple[tuple[str, str], ...]]:
    """The calls of that list, address and title; one statement."""
    opened = select(Application.id).where(
        Application.call_id == Call.id,
        Application.state == ApplicationState.UNDER_EVALUATION.value,
        may_open(actor),
    )
    rows = yield from ask(
        select(Call.slug, Call.title).where(opened.exists()).order_by(Call.title, Call.slug).limit(CALLS_MAX)
    )
    return tuple((row.slug, row.title) for row in rows)


@reader
def consensus_list_and_calls(
    actor: Actor, page: Page, of_call: str = ""
) -> Asking[tuple[Rows[ConsensusRow], tuple[tuple[str, str], ...]]]:
    """The list with the calls it can be narrowed to; two statements a page."""
    return (yield from both(consensus_list.asking(actor, page, of_call), consensus_calls.asking(actor)))


def _seats(application_ids: Sequence[UUID]) -> Asking[dict[UUID, list[Any]]]:
    """Who holds a seat on each application, and whether their sheet is in."""
    rows = yield from ask(
        select(Assignment.application_id, User.id, User.name, Assessment.state)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(among(Assignment.application_id, application_ids), Assignment.state == SeatState.ACTIVE.value)
        .order_by(User.name, User.id)
    )
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.application_id].append(row)
    return found


def _ends(application_ids: Sequence[UUID]) -> Asking[dict[UUID, dict[str, tuple[int, int]]]]:
    """By application and criterion the lowest and the highest mark of the sheets that are in."""
    half = AssessmentScore.half
    rows = yield from ask(
        select(Assignment.application_id, AssessmentScore.criterion, func.min(half).label("low"), func.max(half).label("top"))
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .join(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            among(Assignment.application_id, application_ids),
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
            half.is_not(None),
        )
        .group_by(Assignment.application_id, AssessmentScore.criterion)
    )  # fmt: skip
    found: dict[UUID, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in rows:
        found[row.application_id][row.criterion] = (row.low, row.top)
    return found


def _line(
    row: Any, seats: Sequence[Any], cities: str, call: CallView, ends: Mapping[str, tuple[int, int]]
) -> ConsensusRow:
    missing = [seat for seat in seats if seat.state != AssessmentState.SUBMITTED.value]
    submitted = len(seats) - len(missing)
    state = ConsensusState(row.state) if row.state else None
    agreed = {UUID(entry["user_id"]) for entry in row.agreed_by or ()}
    waits = missing
    if state is ConsensusState.PROPOSED:
        waits = [seat for seat in seats if seat.id not in agreed]
    marking, all_in = call.content.marking, 1 < submitted == len(seats)
    told = (rules.far_words(one, ends.get(one.key, ()), marking.most_half(one)) for one in marking.criteria if all_in)
    return ConsensusRow(
        row.id, row.reference, row.title, cities, row.slug, row.call_title, len(seats), submitted,
        rules.half_words(row.spread) if all_in else "", state, tuple(seat.name for seat in waits),
        marking.scoring.by_mean, call.content.evaluators_per_application,
        tuple(filter(None, told)),
    )  # fmt: skip
