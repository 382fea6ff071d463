"""Another person confirms a decided list, or gives it back; confirmation reserves the money. The letters tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications import services as applications
from grants.applications.models import Application
from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.rules.heard import refuse_later_minutes
from grants.awards.services.deciding import refuse_conflicted
from grants.awards.services.drawing import draw, keep_refused
from grants.awards.services.published import count_as_published, enter_published
from grants.awards.states import (
    SELECTION,
    Outcome,
    SelectionKind,
)
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, clock, jobs
from grants.core.acts import act
from grants.core.db import among, check_version, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries as evaluation
from grants.identity.rules import demand_fresh
from grants.ledger import rules as ledger_rules
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event


def confirm(actor: Actor, selection_id: UUID, version: int | None = None, despite: str = "") -> Money:
    """Confirm a list another person decided: draw its group at the line, reserve the money. No team is told.

    Returns what was reserved. Refused when a score or the free budget changed since the list was decided. Where its draw is
    refused nothing of the act stands, so that is kept by another one before it is told.
    """
    try:
        return confirm_list(actor, selection_id, version, despite)
    except rules.DrawRefused:
        keep_refused(actor, selection_id)
        raise


@act(
    "selection.confirm",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.selection_scope,
    says="confirmed the selection of {subject}",
)
def confirm_list(actor: Actor, selection_id: UUID, version: int | None = None, despite: str = "") -> Money:
    """What :func:`confirm` does where the draw is not refused."""
    demand_fresh(actor)
    selection = locked(Selection, selection_id)
    check_version(selection, version)
    rules.refuse_same_person(selection.decided_by, actor.user_id)
    if selection.draw_refused_at is not None:
        raise rules.DrawRefused
    SELECTION.move(selection, "confirm")
    selection.confirmed_by, selection.confirmed_at = actor.user_id, acts.moment()
    call = calls.call_by_id(selection.call_id)
    rules.refuse_over_budget(selection.used, calls.free(call.id))
    match SelectionKind(selection.kind):
        case SelectionKind.RANKED:
            items = items_of(selection_id)
            _hold_applications(items)
            refuse_conflicted(actor, [item.application_id for item in items], queries.forgotten(call.id))
            refuse_changed(selection, call)
            _refuse_later_minutes(selection, items)
            _refuse_complaints(selection, clean_text(despite))
            draw(selection, call, items)
            jobs.queue("jobs.documents.selection", subject=("selection", selection_id), selection_id=selection_id)
        case SelectionKind.PUBLISHED_OUTCOME:
            items = enter_published(selection)
            count_as_published(call)
    reserved = ZERO
    for item in sorted(items, key=lambda each: each.position):
        reserved = reserved + carry_out(call, selection, item)
    assert reserved == selection.used, "what is reserved is what was decided"
    assert calls.free(call.id) >= ZERO, "a call never reserves more than it has"
    return reserved


def items_of(selection_id: UUID) -> Sequence[SelectionItem]:
    return db.session.scalars(
        select(SelectionItem)
        .where(SelectionItem.selection_id == selection_id)
        .order_by(SelectionItem.position)
        .with_for_update()
    ).all()


def _hold_applications(items: Sequence[SelectionItem]) -> None:
    """Hold what the list is of, as whoever changes a score of it does: what is compared next stands until it is carried out."""
    ids = [item.application_id for item in items]
    held = select(Application.id).where(among(Application.id, ids)).order_by(Application.reference)
    db.session.execute(held.with_for_update(of=Application)).all()


def refuse_changed(selection: Selection, call: CallView) -> None:
    """The scores behind a frozen list must still be those it was made from (a late conflict reopens a consensus)."""
    rules.refuse_forgotten(*queries.without_evaluation(queries.forgotten(call.id)))
    rules.refuse_shifts(evaluation.waiting_shifts(call.id))
    # An answer stands for all it was made from: where none is found, what the list was made from is another.
    now, waiting, _ = queries.live_list(call, queries.plan_of(selection))
    if waiting or now.unsolved or queries.hash_of(now) != selection.list_sha256.hex():
        raise Refused(
            "A score or the free budget changed after this list was decided. Return it with that reason, and have it decided again."
        )


def _refuse_later_minutes(selection: Selection, items: Sequence[SelectionItem]) -> None:
    """What the list says of the panel must still be so; one from before that was kept with it is not asked."""
    if "panel_said" not in selection.rules:
        return
    of_score = Counter(item.score for item in items)
    ids = [item.application_id for item in items if of_score[item.score] > 1]
    tied = db.session.scalars(select(Application.reference).where(Application.id.in_(ids))).all()
    refuse_later_minutes(selection.rules["panel_said"], queries.order_said(selection.call_id), tied)


def _refuse_complaints(selection: Selection, despite: str) -> None:
    """Whoever decided the list gave a reason for the complaints of then; for those that came since this person gives one."""
    since = selection.decided_at if selection.despite else None
    came = queries.complaints.about_eligibility(selection.call_id, since)
    rules.refuse_complaints(came, despite)
    if came:
        selection.confirmed_despite = despite


_VERBS = {
    Outcome.SELECTED: "select",
    Outcome.RESERVE: "reserve",
    Outcome.NOT_FUNDED: "leave_unfunded",
    Outcome.BELOW_THRESHOLD: "fall_below",
}


def carry_out(call: CallView, selection: Selection, item: SelectionItem) -> Money:
    """One application of a confirmed list: its money and its state. Returns what was reserved for it."""
    application = locked(Application, item.application_id)
    outcome = Outcome(item.outcome)
    reserved = reserve(call, selection, item, application) if outcome is Outcome.SELECTED and item.amount else ZERO
    if SelectionKind(selection.kind) is SelectionKind.RANKED:
        # Its letter of decision tells its team, and nothing else before it.
        applications.move_untold(application.id, _VERBS[outcome])
    return reserved


def carry_out_again(call: CallView, selection: Selection, item: SelectionItem, outcome: Outcome) -> None:
    """Another outcome than the list gave, after its evaluation was repeated: its money and its state."""
    application = locked(Application, item.application_id)
    if outcome is Outcome.SELECTED:
        rules.refuse_over_budget(item.amount, calls.free(call.id))
        reserve(call, selection, item, application)
    applications.move(application.id, _VERBS[outcome])


def reserve(call: CallView, selection: Selection, item: SelectionItem, application: Application) -> Money:
    """Reserve what an item of a list gets. Its key lets the ledger take it once."""
    dims = Dimensions(
        fund_source_id=call.fund_source.id,
        call_id=call.id,
        organisation_id=application.coordinator_id,
        document_id=application.id,
    )
    item.entry_id = ledger.post(
        Event.RESERVED,
        source_key=f"selection:{selection.id}:{application.id}",
        effective_on=clock.in_zone(acts.moment(), call.zone).date(),
        description=f"Reserved for {application.reference} by selection {selection.number} of {call.reference}",
        legs=ledger_rules.legs_e2(item.amount, dims),
    )
    return item.amount


@act(
    "selection.return",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.selection_scope,
    says="returned the selection of {subject}",
)
def return_list(actor: Actor, selection_id: UUID, reason: str, version: int | None = None) -> None:
    """Give a decided list back with a reason; it stays on the record, and a new one can be decided."""
    selection = locked(Selection, selection_id)
    check_version(selection, version)
    rules.refuse_same_person(selection.decided_by, actor.user_id)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say what must be different before it can be confirmed."})
    if SelectionKind(selection.kind) is SelectionKind.RANKED:
        refuse_conflicted(actor, [item.application_id for item in items_of(selection_id)])
    acts.reason(words)
    SELECTION.move(selection, "return")
    selection.returned_by, selection.return_reason = actor.user_id, words
