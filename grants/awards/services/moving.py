"""Freed money goes to the next of the reserve list: proposed by the program, decided by one person, confirmed by another."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.applications import services as applications
from grants.applications.models import Application
from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem, SelectionMove
from grants.awards.services.confirming import items_of, reserve
from grants.awards.services.deciding import refuse_conflicted
from grants.awards.services.leaving_out import end_exclusion
from grants.awards.states import RESERVE_MOVE, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries as evaluation
from grants.identity.rules import demand_fresh


def _refuse_conflict(actor: Actor, selection_id: UUID) -> None:
    """Whoever has a conflict with an application of the list decides no move, whatever became of the bar.

    Bars end with the publication of the results, and money of the reserve list is given after it.
    """
    ids = [item.application_id for item in items_of(selection_id)]
    refuse_conflicted(actor, ids)
    if evaluation.conflicted(actor, ids):
        raise Refused(
            "You have a conflict of interest with an application of this list, so you decide no move from its "
            "reserve list. Somebody else must."
        )


@act(
    "selection_move.decide",
    needs=Permission.SELECTION_DECIDE,
    scope=queries.selection_scope,
    says="decided the next of the reserve list of {subject}",
)
def decide_move(actor: Actor, selection_id: UUID, reference: str, reason: str) -> int:
    """Decide that the application the program proposes, ``reference`` as the person saw it, gets the freed money.

    Returns the number of the move.
    """
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Write why the next of the reserve list moves up."})
    selection = locked(Selection, selection_id)
    if (selection.kind, selection.state) != (SelectionKind.RANKED.value, SelectionState.CONFIRMED.value):
        raise Refused("Only a confirmed ranked list has a reserve list. Have the list confirmed first.")
    _refuse_conflict(actor, selection_id)
    taken = db.session.scalars(select(SelectionMove).where(SelectionMove.selection_id == selection_id)).all()
    if any(move.state == SelectionState.DECIDED.value for move in taken):
        raise Refused("A move from this reserve list waits for a second person. Have it confirmed or returned first.")
    freed, found, items = queries.next_on_reserve(selection_id)
    if found is None:
        raise Refused("Nobody of the reserve list fits in what is free now, or nothing came free.")
    application_id = found.candidate.application_id
    if reference not in [item.reference for item in items if item.application_id == application_id]:
        raise Conflict("Who is next changed after you opened the page. Look at it again.")
    assert actor.user_id is not None, "only a person decides"
    number = (db.session.scalar(select(func.max(SelectionMove.number)).where(SelectionMove.selection_id == selection_id)) or 0) + 1  # fmt: skip
    db.session.add(
        SelectionMove(
            selection_id=selection_id,
            application_id=application_id,
            number=number,
            state=SelectionState.DECIDED.value,
            amount=found.candidate.amount,
            free=freed.available,
            words=found.words,
            reason=words,
            decided_by=actor.user_id,
            decided_at=acts.moment(),
        )
    )
    acts.reason(words)
    return number


@act(
    "selection_move.confirm",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.move_scope,
    says="confirmed the next of the reserve list of {subject}",
)
def confirm_move(actor: Actor, move_id: UUID, version: int | None = None) -> Money:
    """Confirm a move another person decided: its money is reserved once, the application is selected; its letter tells it."""
    demand_fresh(actor)
    move = locked(SelectionMove, move_id)
    check_version(move, version)
    rules.refuse_same_person(move.decided_by, actor.user_id, "decided this move")
    RESERVE_MOVE.move(move, "confirm")
    move.confirmed_by, move.confirmed_at = actor.user_id, acts.moment()
    selection = locked(Selection, move.selection_id)
    items = items_of(selection.id)
    _refuse_conflict(actor, selection.id)
    _, found, _ = queries.next_on_reserve(selection.id)
    if found is None or (found.candidate.application_id, found.candidate.amount) != (move.application_id, move.amount):
        raise Refused(
            "What is free, or who is next, changed after this was decided. Return it, and have it decided again."
        )
    call = calls.call_by_id(selection.call_id)
    rules.refuse_over_budget(move.amount, calls.free(call.id))
    item: SelectionItem = next(each for each in items if each.application_id == move.application_id)
    application = locked(Application, move.application_id)
    reserved = reserve(call, selection, item, application)
    applications.move_untold(application.id, "select")
    # Whoever was to tell “reserve list” was not asked to tell this.
    if exclusion := end_exclusion(actor, application.id):
        acts.reason(exclusion)
    assert reserved == move.amount, "what is reserved is what was decided"
    assert calls.free(call.id) >= ZERO, "a call never reserves more than it has"
    return reserved


@act(
    "selection_move.return",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.move_scope,
    says="returned the next of the reserve list of {subject}",
)
def return_move(actor: Actor, move_id: UUID, reason: str, version: int | None = None) -> None:
    """Give a decided move back with a reason; it stays on the record."""
    move = locked(SelectionMove, move_id)
    check_version(move, version)
    rules.refuse_same_person(move.decided_by, actor.user_id, "decided this move")
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say what must be different before it can be confirmed."})
    _refuse_conflict(actor, move.selection_id)
    acts.reason(words)
    RESERVE_MOVE.move(move, "return")
    move.returned_by, move.return_reason = actor.user_id, words
