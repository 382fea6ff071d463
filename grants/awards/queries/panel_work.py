"""What people of a panel must do next: come, sign, move scores and places. Nobody is sent to what is shut to them."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, func, or_, select, type_coerce
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards.models import (
    PanelItem,
    PanelMeeting,
    PanelMember,
    PanelMinutes,
    Selection,
    SelectionItem,
    SelectionMove,
)
from grants.awards.queries.held import EVERY, held
from grants.awards.queries.panel import opens, shut
from grants.awards.states import MeetingState, Outcome, PanelRole, SelectionKind, SelectionState
from grants.calls.models import Call
from grants.core.duties import DUTIES_MAX, Duty, every, with_the_rest
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask
from grants.evaluation.models import ScoreShift
from grants.evaluation.states import ShiftState
from grants.ledger.queries import available_cents

LEADING = (PanelRole.CHAIR.value, PanelRole.DEPUTY.value)


def to_attend(actor: Actor) -> Asking[list[Duty]]:
    """Meetings this person is one of the people of, until they have ended; one statement."""
    rows = yield from ask(
        select(PanelMeeting.slug, PanelMeeting.title, PanelMeeting.starts_at, Call.title.label("call_title"))
        .join(PanelMember, PanelMember.meeting_id == PanelMeeting.id)
        .join(Call, Call.id == PanelMeeting.call_id)
        .where(PanelMember.user_id == actor.user_id, PanelMeeting.state != MeetingState.ENDED.value, opens(actor))
        .order_by(PanelMeeting.starts_at, PanelMeeting.id)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            f"Attend {row.title}",
            f"The panel of {row.call_title} looks at its applications, one after the other.",
            "Open the meeting",
            "awards.meeting",
            {"slug": row.slug},
            row.starts_at,
        )
        for row in rows
    ]


def to_sign(actor: Actor) -> Asking[list[Duty]]:
    """Minutes without the signature this person may give, where they can read all of them; four statements."""
    newest = (
        select(func.max(PanelMinutes.number))
        .where(PanelMinutes.meeting_id == PanelMeeting.id)
        .correlate(PanelMeeting)
        .scalar_subquery()
    )
    leads = PanelMember.role.in_(LEADING)
    rows = yield from ask(
        select(PanelMeeting.id, PanelMeeting.slug, PanelMeeting.title)
        .join(PanelMember, PanelMember.meeting_id == PanelMeeting.id)
        .join(PanelMinutes, PanelMinutes.meeting_id == PanelMeeting.id)
        .where(
            PanelMember.user_id == actor.user_id,
            PanelMinutes.number == newest,
            or_(leads & PanelMinutes.chair_signed_by.is_(None), ~leads & PanelMinutes.second_signed_by.is_(None)),
            opens(actor),
        )
        .order_by(PanelMeeting.starts_at, PanelMeeting.id)
        .limit(DUTIES_MAX)
    )
    items = yield from ask(
        select(PanelItem.meeting_id, PanelItem.application_id).where(PanelItem.meeting_id.in_([row.id for row in rows]))
    )
    looked_at: dict[UUID, set[UUID]] = defaultdict(set)
    for item in items:
        looked_at[item.meeting_id].add(item.application_id)
    closed = yield from shut.asking(actor, [item.application_id for item in items])
    return [
        Duty(
            f"Sign the minutes of {row.title}",
            "They count once the chair and a second person of the meeting have signed.",
            "Open the minutes",
            "awards.minutes",
            {"slug": row.slug},
        )
        for row in rows
        if not looked_at[row.id] & closed
    ]


def shifts_to_confirm(actor: Actor) -> Asking[list[Duty]]:
    """Moves of a score that another person proposed; three statements."""
    rows = yield from ask(
        select(Application.id, Application.reference, Application.title)
        .join(ScoreShift, ScoreShift.application_id == Application.id)
        .join(Call, Call.id == Application.call_id)
        .where(
            ScoreShift.state == ShiftState.PROPOSED.value,
            ScoreShift.proposed_by != actor.user_id,
            held(actor, Permission.SELECTION_CONFIRM),
        )
        .order_by(ScoreShift.proposed_at, Application.reference)
        .limit(DUTIES_MAX)
    )
    closed = yield from shut.asking(actor, [row.id for row in rows])
    return [
        Duty(
            f"Confirm or return the move of the score of {row.title}",
            "The score counts as it was until then.",
            "Open the score",
            "evaluation.shift",
            {"ref": row.reference},
        )
        for row in rows
        if row.id not in closed
    ]


def moves_to_confirm(actor: Actor) -> Asking[list[Duty]]:
    """Applications another person moved up from a reserve list; one statement."""
    rows = yield from ask(
        select(Call.slug, Selection.number, Application.title, EVERY)
        .join(Selection, Selection.call_id == Call.id)
        .join(SelectionMove, SelectionMove.selection_id == Selection.id)
        .join(Application, Application.id == SelectionMove.application_id)
        .where(
            SelectionMove.state == SelectionState.DECIDED.value,
            SelectionMove.decided_by != actor.user_id,
            held(actor, Permission.SELECTION_CONFIRM),
            ~_barred_from_list(actor),
        )
        .order_by(SelectionMove.decided_at)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Confirm or return the move of {row.title} from the reserve list",
            "Its money is reserved only then. Its team learns it by its letter.",
            "Open the list",
            "awards.selection",
            {"slug": row.slug, "number": row.number},
        )
        for row in rows
    ]
    return with_the_rest(found, every(rows), "Confirm or return moves from reserve lists")


def moves_to_decide(actor: Actor) -> Asking[list[Duty]]:
    """Confirmed lists of which enough money came free, or was added, for somebody of the reserve list; one statement."""
    amount, left = (type_coerce(each, BigInteger) for each in (SelectionItem.amount, Selection.budget - Selection.used))
    reserve = SelectionItem.outcome == Outcome.RESERVE.value
    got = SelectionItem.entry_id.is_not(None)
    ended = Application.state.in_((ApplicationState.DECLINED.value, ApplicationState.DROPPED.value))
    had = or_(SelectionItem.outcome == Outcome.SELECTED.value, got)
    freed = func.coalesce(func.sum(amount).filter(had, ended), 0)
    moved = func.coalesce(func.sum(amount).filter(SelectionItem.outcome != Outcome.SELECTED.value, got), 0)
    free = available_cents(Call.id)
    came = func.greatest(freed - moved, free - left)
    least = func.min(amount).filter(reserve, Application.state == ApplicationState.RESERVE.value)
    open_move = select(SelectionMove.id).where(
        SelectionMove.selection_id == Selection.id, SelectionMove.state == SelectionState.DECIDED.value
    )
    rows = yield from ask(
        select(
            *(Call.slug, Call.title, Selection.number, (freed - moved).label("back"), came.label("came")),
            *(left.label("left"), least.label("least"), EVERY),
        )
        .join(Selection, Selection.call_id == Call.id)
        .join(SelectionItem, SelectionItem.selection_id == Selection.id)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
            ~open_move.exists(),
            held(actor, Permission.SELECTION_DECIDE),
            ~_barred_from_list(actor),
        )
        .group_by(Call.id, Selection.id)
        .having(came > 0, least <= func.least(came + left, free))
        .order_by(Call.reference, Selection.number)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Look at the reserve list of {row.title}",
            _why_now(int(row.back), int(row.came), int(row.left), int(row.least)),
            "Open the list",
            "awards.selection",
            {"slug": row.slug, "number": row.number},
        )
        for row in rows
    ]
    return with_the_rest(found, every(rows), "Look at reserve lists")


def _why_now(back: int, came: int, left: int, least: int) -> str:
    """What makes the money enough for one that waits, in cents: what came ``back`` of all that ``came``, what the list left.

    >>> _why_now(400, 400, 0, 400)
    'A selected application ended, and its money is enough for one that waits.'
    >>> _why_now(100, 400, 0, 400)
    'A selected application ended, money was added to the call or a grant took less, and that is enough for one that waits.'
    """
    if back > 0 and back + left >= least:
        why, alone, it = "A selected application ended", back, "its money is"
    elif back > 0:
        why, alone, it = (
            "A selected application ended, money was added to the call or a grant took less",
            came,
            "that is",
        )
    else:
        why, alone, it = "Money was added to the call, or a grant took less", came, "it is"
    return f"{why}, and {'' if alone >= least else 'with what the list left '}{it} enough for one that waits."


def _barred_from_list(actor: Actor) -> ColumnElement[bool]:
    """Whether something of the list is kept from this person, who then decides nothing about it."""
    mine = aliased(SelectionItem)
    return (
        select(mine.id)
        .where(mine.selection_id == Selection.id, mine.application_id.in_(actor.barred("application")))
        .correlate(Selection)
        .exists()
    )
