"""What complaints ask of people next: of the office, of a committee of two, and of a team whose draft is not sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import aliased

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards.models import Complaint
from grants.awards.queries.involved import had_part
from grants.awards.queries.settling import is_repeated
from grants.awards.rules import complaints as rules
from grants.awards.rules.settling import how_far
from grants.awards.states import OPEN_COMPLAINTS, ComplaintState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import ComplaintRules
from grants.core import clock, encoding
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Assessment, Assignment, Consensus
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity import queries as identity
from grants.identity.models import User

DUTIES_MAX = 50
# Results whose time never runs anew: they are told with their reasons, before any list.
TOLD_BY_THE_DESK = (ApplicationState.INELIGIBLE.value, ApplicationState.DROPPED.value)


def to_handle(actor: Actor) -> Asking[list[Duty]]:
    """Complaints this person must check, name a committee for, decide, or settle after a repeated evaluation.

    Nobody is asked who had a part in the first decision, or has a conflict; where that is one of the committee, everybody
    else is. Three statements at most for each ``DUTIES_MAX`` that wait for somebody; it reads on until as many are this
    person’s, or none is left.
    """
    found: list[Duty] = []
    after: Any = None
    while len(found) < DUTIES_MAX:
        rows = yield from ask(_waiting(after))
        if rows:
            found += yield from _own(actor, rows)
        if len(rows) < DUTIES_MAX:
            break
        after = rows[-1]
    return found[:DUTIES_MAX]


def _own(actor: Actor, rows: Sequence[Any]) -> Asking[list[Duty]]:
    """Those of the rows that are this person’s to do."""
    again = {row.call_id for row in rows if row.state == ComplaintState.UPHELD.value}
    asked: list[Asking[Any]] = [
        evaluation.undecidable.asking(actor, [row.application_id for row in rows]),
        _able(actor, rows),
        *([calls.call_views.asking(again)] if again else []),
    ]
    shut, able_by, *more = yield from side_by_side(asked)
    by_mean = {
        key for views in more for key, call in views.items()
        if call.content.scoring.by_mean
    }  # fmt: skip
    found = []
    for row in rows:
        able = able_by[row.id]
        scope = Scope.of(("application", row.application_id), ("call", row.call_id))
        if row.application_id in shut or actor.user_id not in able or not actor.may(Permission.COMPLAINT_DECIDE, scope):
            continue
        upheld = row.state == ComplaintState.UPHELD.value
        said = _to_settle(row, actor, by_mean, able) if upheld else _to_do(row, actor, able)
        if said is not None:
            values = {"ref": row.reference, "number": row.number}
            due = None if upheld else row.decide_at
            found.append(Duty(*said, "Open the complaint", "awards.complaint", values, due))
    return found


def _able(actor: Actor, rows: Sequence[Any]) -> Asking[dict[UUID, frozenset[UUID]]]:
    """Of this person and those behind each of these complaints, who may decide it: has the role, had no part, has no conflict."""
    ids = [row.application_id for row in rows]
    behind = {who for row in rows for who in (row.member_one, row.member_two, row.settlement_by) if who}
    decide = Permission.COMPLAINT_DECIDE
    involved, *more = yield from side_by_side([
        had_part.asking(ids, behind | {actor.user_id} if actor.user_id else behind),
        *(
            (
                evaluation.shut_out.asking(ids, behind),
                identity.users_with.asking(decide),
                identity.teams.asking(decide, "call", {row.call_id for row in rows}),
            )
            if behind else ()
        ),
    ])  # fmt: skip
    out, everywhere, inside = more or (frozenset(), (), {})
    holders = frozenset(each.id for each in everywhere)
    return {
        row.id: frozenset(
            who
            for who in {actor.user_id, row.member_one, row.member_two, row.settlement_by} - {None}
            if (who, row.application_id) not in involved | out
            and (who == actor.user_id or who in holders | inside.get(row.call_id, frozenset()))
        )
        for row in rows
    }


def _waiting(after: Any) -> Any:
    """What waits for somebody, in the order in which it must be decided; of what comes behind one row, where one is given."""
    seat = select(Assignment.id).where(
        Assignment.application_id == Complaint.application_id, Assignment.state == SeatState.ACTIVE.value
    )
    sheet = select(Assessment.id).where(
        Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value
    )
    agreed = select(Consensus.id).where(
        Consensus.application_id == Complaint.application_id, Consensus.state == ConsensusState.AGREED.value
    )
    order = tuple_(Complaint.decide_at, Complaint.id)
    further = true() if after is None else order > tuple_(after.decide_at, after.id)
    return (
        select(
            *(Complaint.id, Complaint.state, Complaint.number, Complaint.decide_at, Complaint.proposed_by),
            *(Complaint.application_id, Complaint.call_id, Complaint.settlement_by, Application.reference),
            *(Complaint.member_one, Complaint.member_two),
            exists(agreed).label("agreed"),
            and_(exists(seat), ~exists(seat.where(~exists(sheet)))).label("assessed"),
        )
        .join(Application, Application.id == Complaint.application_id)
        .where(
            further,
            or_(
                Complaint.state.in_([each.value for each in OPEN_COMPLAINTS]),
                is_repeated(),
            ),
        )
        .order_by(Complaint.decide_at, Complaint.id)
        .limit(DUTIES_MAX)
    )


def _to_do(row: Any, actor: Actor, able: Collection[UUID]) -> tuple[str, str] | None:
    match ComplaintState(row.state):
        case ComplaintState.RECEIVED:
            return f"Check whether the complaint on {row.reference} is admissible", "The time to decide it runs."
        case ComplaintState.ADMISSIBLE:
            return f"Name a committee of two for the complaint on {row.reference}", "The time to decide it runs."
    committee = {row.member_one, row.member_two}
    if not committee <= set(able):
        return (
            f"Name another committee for the complaint on {row.reference}",
            "One of its committee may not decide it any more. The time to decide it runs.",
        )
    if actor.user_id not in committee:
        return None
    if row.proposed_by is None:
        return f"Decide the complaint on {row.reference}", "One of the committee proposes, the other confirms."
    if row.proposed_by == actor.user_id:
        # To wait for the other is nobody's duty.
        return None
    return f"Confirm or return the decision on the complaint on {row.reference}", "The applicant is told only then."


def _to_settle(row: Any, actor: Actor, by_mean: Collection[UUID], able: Collection[UUID]) -> tuple[str, str] | None:
    """Once the new evaluators are done; until then the seats and sheets are the duty of others."""
    committee, by = {row.member_one, row.member_two}, row.settlement_by
    if not rules.settles(actor.user_id, committee, able):
        return None
    if by is not None and rules.settle_together((by, actor.user_id), committee, able):
        return f"Confirm the outcome of the repeated evaluation of {row.reference}", "The applicant is told only then."
    if by == actor.user_id or (by in able and actor.user_id not in committee):
        # To wait for another is nobody's duty. Whoever of the committee may decide still confirms it.
        return None
    if row.agreed or (row.assessed and row.call_id in by_mean):
        return (
            f"Propose the outcome of the repeated evaluation of {row.reference}",
            "The new evaluators are done. One of the committee proposes, the other confirms."
            if committee <= set(able)
            else "The new evaluators are done, and one of the committee may not decide any more: another takes their place.",
        )
    return None


@dataclass(frozen=True, slots=True)
class Repeated:
    """An application whose evaluation is repeated after a complaint and not settled, and how far that is."""

    reference: str
    call_slug: str
    number: int
    since: datetime
    # New seats that are filled, assessments that came in; whether there is a score for the committee to settle.
    seats: int
    sheets: int
    scored: bool
    per_application: int
    # Whom its outcome waits for now, in words, once there is a score; and whether this person is among them.
    due: str
    is_own: bool


@reader
def repeated(actor: Actor) -> Asking[tuple[Repeated, ...]]:
    """The repeated evaluations whose seats this person may fill, the longest first; none they have a conflict with."""
    if not actor.can(Permission.ASSIGNMENT_DECIDE):
        return ()
    rows = yield from ask(_repeated(actor))
    asked: list[Asking[Any]] = [
        evaluation.undecidable.asking(actor, [row.application_id for row in rows]),
        calls.call_views.asking({row.call_id for row in rows}),
    ]
    # The results are public by now, but whoever had a conflict has no part in what comes after them.
    scored = [row for row in rows if row.scored]
    able: dict[UUID, frozenset[UUID]] = {}
    if scored:
        asked.append(_able(actor, scored))
    shut, views, *more = (yield from side_by_side(asked)) if rows else (frozenset(), {})
    for each in more:
        able.update(each)
    return tuple(
        Repeated(
            row.reference, row.slug, row.number, row.since, row.seats, row.sheets, row.scored,
            views[row.call_id].content.evaluators_per_application,
            *(_due(actor, row, able[row.id]) if row.scored else ("", False)),
        )
        for row in rows if row.application_id not in shut
    )  # fmt: skip


def _due(actor: Actor, row: Any, able: Collection[UUID]) -> tuple[str, bool]:
    """Whom the outcome of a repeated evaluation waits for now, and whether this person has it as a duty."""
    committee, by = ((row.member_one, row.one), (row.member_two, row.two)), row.settlement_by
    ids = {row.member_one, row.member_two}
    scope = Scope.of(("application", row.application_id), ("call", row.call_id))
    stood_in = by in able and actor.user_id not in ids and by != actor.user_id and bool(ids & set(able))
    is_own = actor.may(Permission.COMPLAINT_DECIDE, scope) and rules.settles(actor.user_id, ids, able) and not stood_in
    return rules.due_words(committee, able, (by, row.three or "")), is_own


def _repeated(actor: Actor) -> Any:
    def held(what: Any) -> Any:
        return (
            select(func.count(what))
            .select_from(Assignment)
            .outerjoin(
                Assessment,
                and_(Assessment.assignment_id == Assignment.id, Assessment.state == AssessmentState.SUBMITTED.value),
            )
            .where(Assignment.application_id == Application.id, Assignment.state == SeatState.ACTIVE.value)
            .correlate(Application)
            .scalar_subquery()
        )

    agreed = exists().where(Consensus.application_id == Application.id, Consensus.state == ConsensusState.AGREED.value)
    one, two, three = aliased(User), aliased(User), aliased(User)
    return (
        select(
            *(Complaint.id, Complaint.application_id, Complaint.call_id, Complaint.number),
            *(Complaint.decided_at.label("since"), Complaint.settlement_by, three.name.label("three")),
            *(Complaint.member_one, Complaint.member_two, one.name.label("one"), two.name.label("two")),
            *(Application.reference, Call.slug),
            held(Assignment.id).label("seats"),
            held(Assessment.id).label("sheets"),
            or_(agreed, and_(evaluation.by_mean(), evaluation.all_sheets_in())).label("scored"),
        )
        .join(Application, Application.id == Complaint.application_id)
        .join(Call, Call.id == Complaint.call_id)
        .join(one, one.id == Complaint.member_one)
        .join(two, two.id == Complaint.member_two)
        .outerjoin(three, three.id == Complaint.settlement_by)
        .where(is_repeated(), evaluation.may_see(actor))
        .order_by(Complaint.decided_at, Complaint.id)
        .limit(DUTIES_MAX)
    )


def to_see_through(actor: Actor) -> Asking[list[Duty]]:
    """Repeated evaluations that have no score yet; once they have one, the committee settles them."""
    found = yield from repeated.asking(actor)
    return [
        Duty(
            f"See the repeated evaluation of {row.reference} through",
            f"Its complaint was upheld. {how_far(row.seats, row.sheets, row.per_application)}",
            "Go to its seats", "evaluation.assignments", {"slug": row.call_slug, "q": row.reference},
        )
        for row in found
        if not row.scored
    ]  # fmt: skip


def to_send(actor: Actor) -> Asking[list[Duty]]:
    """Complaints the person’s team has begun and not sent; one statement."""
    own = actor.places(Permission.APPLICATION_SUBMIT, "application")
    if not own:
        return []
    at = clock.now()
    rows = yield from ask(
        select(
            *(
                Application.reference,
                Application.title,
                Call.zone,
                Call.results_public_at,
                Complaint.about,
                Complaint.due_at,
            ),
            applications.state_to_team().label("stands"),
            Call.content["fields"]["evaluation.complaints"].label("rules"),
        )
        .join(Application, Application.id == Complaint.application_id)
        .join(Call, Call.id == Complaint.call_id)
        .where(Complaint.state == ComplaintState.DRAFT.value, Application.id.in_(own))
        # The longest time a call gives is 120 days; what is too late with it is left out below.
        .where(or_(Complaint.due_at > at, Call.results_public_at.between(at - timedelta(days=122), at)))
        .order_by(Complaint.due_at, Complaint.id)
        .limit(DUTIES_MAX)
    )
    found = sorted(((_sendable_until(row, at), row) for row in rows), key=lambda pair: pair[0])
    return [
        Duty(
            f"Send the complaint on “{row.title}”, or leave it",
            "It is a draft: the programme reads it once it is sent in time.",
            "Open the complaint", "awards.own_complaint", {"ref": row.reference}, _last_moment(due_at, row.zone),
        )
        for due_at, row in found
        if due_at > at
    ]  # fmt: skip


def _sendable_until(row: Any, at: datetime) -> datetime:
    """Before which moment a draft can be sent: its own, or the later one that runs from when the reasons could be read."""
    public, stands = row.results_public_at, row.about == row.stands and row.about not in TOLD_BY_THE_DESK
    if not (row.rules and row.rules["value"]) or public is None or public > at or not stands:
        return row.due_at
    return max(row.due_at, encoding.decode(row.rules, ComplaintRules).deadline(public, row.zone))


def _last_moment(midnight: datetime, zone: str) -> datetime:
    """Of the day that ends at this midnight in the zone of its call: people are told that day, on no clock the next one."""
    last = midnight - timedelta(seconds=1)
    return min(last, clock.end_of_day(clock.in_zone(last, zone).date()))
