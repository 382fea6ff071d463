"""Acts of awards: a list is decided by one person and confirmed by another; confirmation reserves the money and tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.applications import services as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.ranking import RankedList
from grants.awards.rules import DecisionInput, PublishedOutcome
from grants.awards.states import (
    SELECTION,
    AmountBasis,
    EndedElsewhere,
    LineRule,
    Outcome,
    SelectionKind,
    SelectionState,
)
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.rules import CallView, ResultsInput
from grants.calls.states import Phase
from grants.core import acts, clock, encoding
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.evaluation import queries as evaluation
from grants.evaluation.queries import call_scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import rules as ledger_rules
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event


@act("selection.decide", needs=Permission.SELECTION_DECIDE, scope=call_scope, says="decided the selection of {subject}")
def decide(actor: Actor, call_id: UUID, values: DecisionInput) -> int:
    """Freeze the ranked list as this person saw it; another person confirms it. Returns the selection's number."""
    values = values.checked()
    call = calls.call_by_id(call_id)
    _refuse_open_list(call_id)
    rules.refuse_second_list(_confirmed_list(call_id))
    found, waiting, _ = queries.live_list(call, values.line, values.reserve_max, values.panel_order)
    forgotten = queries.forgotten(call_id)
    _refuse_conflicted(actor, [row.application_id for row in found.rows] + [row.id for row in waiting], forgotten)
    rules.refuse_forgotten(*queries.without_evaluation(forgotten))
    rules.refuse_doubts(evaluation.waiting_doubts(call_id))
    if waiting:
        names = ", ".join(row.reference for row in waiting[:5])
        raise Refused(f"{len(waiting)} of the applications have no agreed consensus yet ({names}). Agree them first.")
    if not found.rows:
        raise Refused("No application of this call is under evaluation. There is nothing to decide.")
    if queries.hash_of(found) != values.list_hash:
        raise Conflict(
            "The list changed after you opened it: a score, a budget or a rule is different. Look at it again."
        )
    rules.refuse_over_budget(found.used, calls.free(call_id))
    selection = _selection(actor, call_id, SelectionKind.RANKED, found.budget, found.used, values.reason)
    selection.rules = {
        "line": values.line.value,
        "reserve_max": values.reserve_max,
        "panel_order": list(values.panel_order),
        "tie_order": list(call.content.tie_order),
        "total_threshold_half": call.content.total_threshold_half,
        "criteria": encoding.encode(list(call.content.criteria)),
    }
    selection.line_words = found.line_words
    selection.list_sha256 = bytes.fromhex(values.list_hash)
    db.session.add(selection)
    _freeze(selection.id, found)
    acts.reason(values.reason)
    return selection.number


def _refuse_open_list(call_id: UUID) -> None:
    standing = db.session.scalars(
        select(Selection).where(Selection.call_id == call_id, Selection.state == SelectionState.DECIDED.value)
    ).first()
    if standing is not None:
        raise Refused(
            f"List {standing.number} of this call waits for a second person. Have it confirmed or returned before another is decided."
        )


def _confirmed_list(call_id: UUID) -> int | None:
    """The number of the ranked list of a call that two people decided."""
    return db.session.scalar(
        select(Selection.number).where(
            Selection.call_id == call_id,
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
        )
    )


def _refuse_conflicted(actor: Actor, application_ids: Sequence[UUID], beside: Sequence[Application] = ()) -> None:
    """Whoever has a conflict with one application of a list, or did not declare about it, decides nothing about that list.

    ``beside`` are applications the list would forget; nobody declares about those before they are eligible.
    """
    application_ids = [*application_ids, *(row.id for row in beside if row.state == ApplicationState.ELIGIBLE.value)]
    if actor.barred("application") & {*application_ids, *(row.id for row in beside)}:
        raise Refused(
            "You declared a conflict of interest with an application of this call, so you cannot decide its list. Somebody else must."
        )
    if evaluation.undeclared(actor, application_ids):
        raise Refused(rules.UNDECLARED)


def _selection(actor: Actor, call_id: UUID, kind: SelectionKind, budget: Money, used: Money, reason: str) -> Selection:
    assert actor.user_id is not None, "only a person decides"
    last = db.session.scalar(select(func.max(Selection.number)).where(Selection.call_id == call_id)) or 0
    return Selection(
        call_id=call_id,
        number=last + 1,
        kind=kind.value,
        state=SelectionState.DECIDED.value,
        budget=budget,
        used=used,
        rules={},
        line_words="",
        reason=reason,
        decided_by=actor.user_id,
        decided_at=acts.moment(),
    )


def _freeze(selection_id: UUID, found: RankedList) -> None:
    for position, row in enumerate(found.rows, 1):
        db.session.add(
            SelectionItem(
                selection_id=selection_id,
                application_id=row.application_id,
                position=position,
                rank=row.rank,
                outcome=row.outcome.value,
                amount=row.requested,
                amount_basis=AmountBasis.REQUESTED.value,
                score=str(row.score),
                halves=dict(row.halves),
                tie_words=row.tie_words,
                threshold_words=row.threshold_words,
                straddles=row.straddles,
                missing=row.missing,
            )
        )


@act(
    "selection.confirm",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.selection_scope,
    says="confirmed the selection of {subject}",
)
def confirm(actor: Actor, selection_id: UUID, version: int | None = None) -> Money:
    """Confirm a list another person decided: reserve the money, move the applications, tell the applicants.

    Returns what was reserved. Refused when a score or the free budget changed since the list was decided.
    """
    demand_fresh(actor)
    selection = locked(Selection, selection_id)
    check_version(selection, version)
    rules.refuse_same_person(selection.decided_by, actor.user_id)
    SELECTION.move(selection, "confirm")
    selection.confirmed_by, selection.confirmed_at = actor.user_id, acts.moment()
    call = calls.call_by_id(selection.call_id)
    rules.refuse_over_budget(selection.used, calls.free(call.id))
    match SelectionKind(selection.kind):
        case SelectionKind.RANKED:
            items = _items(selection_id)
            _refuse_conflicted(actor, [item.application_id for item in items], queries.forgotten(call.id))
            _refuse_changed(selection, call)
        case SelectionKind.PUBLISHED_OUTCOME:
            items = _enter_published(selection)
            _count_as_published(call)
    reserved = ZERO
    for item in items:
        reserved = reserved + _carry_out(call, selection, item)
    assert reserved == selection.used, "what is reserved is what was decided"
    assert calls.free(call.id) >= ZERO, "a call never reserves more than it has"
    return reserved


def _items(selection_id: UUID) -> Sequence[SelectionItem]:
    return db.session.scalars(
        select(SelectionItem)
        .where(SelectionItem.selection_id == selection_id)
        .order_by(SelectionItem.position)
        .with_for_update()
    ).all()


def _refuse_changed(selection: Selection, call: CallView) -> None:
    """The scores behind a frozen list must still be those it was made from (a late conflict reopens a consensus)."""
    rules.refuse_forgotten(*queries.without_evaluation(queries.forgotten(call.id)))
    settings = selection.rules
    now, waiting, _ = queries.live_list(
        call, LineRule(settings["line"]), settings["reserve_max"], tuple(settings["panel_order"])
    )
    if waiting or queries.hash_of(now) != selection.list_sha256.hex():
        raise Refused(
            "A score or the free budget changed after this list was decided. Return it with that reason, and have it decided again."
        )


_VERBS = {
    Outcome.SELECTED: "select",
    Outcome.RESERVE: "reserve",
    Outcome.NOT_FUNDED: "leave_unfunded",
    Outcome.BELOW_THRESHOLD: "fall_below",
}


def _carry_out(call: CallView, selection: Selection, item: SelectionItem) -> Money:
    """One application of a confirmed list: its money, its state, its letter. Returns what was reserved for it."""
    application = locked(Application, item.application_id)
    outcome = Outcome(item.outcome)
    reserved = ZERO
    if outcome is Outcome.SELECTED and item.amount:
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
        reserved = item.amount
    if SelectionKind(selection.kind) is SelectionKind.RANKED:
        applications.move(application.id, _VERBS[outcome])
        _tell(call, application, item, outcome)
    return reserved


def _tell(call: CallView, application: Application, item: SelectionItem, outcome: Outcome) -> None:
    scope = Scope.of(("application", application.id))
    team = [person.id for person in identity.users_with(Permission.APPLICATION_EDIT, scope)]
    people.mail(
        team,
        f"selection_{outcome.value}",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        amount=str(item.amount),
        threshold_words=item.threshold_words,
    )


@act(
    "selection.publish_results",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=call_scope,
    says="published the results of {subject}",
)
def publish_results(actor: Actor, call_id: UUID, given: ResultsInput, version: int | None = None) -> datetime:
    """Make the results of a call public, at once or from a later moment; what conflicts keep people from ends then.

    Refused until two people decided the selection and every applicant has a result. Returns the moment.
    """
    if actor.barred("application") & queries.application_ids(call_id):
        raise Refused(
            "You declared a conflict of interest with an application of this call, and its results end what keeps you "
            "from it. Somebody else must publish them."
        )
    rules.refuse_unpublishable(queries.decided(call_id))
    at = call_acts.make_results_public(call_id, given, version=version)
    people.end_bars("application", queries.application_ids(call_id), at)
    return at


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
        _refuse_conflicted(actor, [item.application_id for item in _items(selection_id)])
    acts.reason(words)
    SELECTION.move(selection, "return")
    selection.returned_by, selection.return_reason = actor.user_id, words


@act(
    "selection.record_published_outcome",
    needs=Permission.SELECTION_RECORD_PUBLISHED_OUTCOME,
    scope=call_scope,
    says="recorded the published outcome of {subject}",
)
def record_published_outcome(actor: Actor, call_id: UUID, values: PublishedOutcome) -> int:
    """Record an outcome that was published elsewhere, with its source; another person confirms it.

    No assessments and no scores: its pilots enter as selected, and their known or synthetic amounts are
    reserved, when it is confirmed; the applications that got no grant enter as they ended. Returns the selection's number.
    """
    values = values.checked()
    _refuse_open_list(call_id)
    free = calls.free(call_id)
    rules.refuse_over_budget(values.asked, free)
    words = clean_text(values.reason)
    selection = _selection(actor, call_id, SelectionKind.PUBLISHED_OUTCOME, free, values.asked, words)
    pilots = encoding.encode(list(values.pilots))
    others = encoding.encode(list(values.others))
    selection.rules = {"pilots": pilots, "others": others} if others else {"pilots": pilots}
    selection.list_sha256 = bytes.fromhex(rules.list_hash([*pilots, *others]))
    selection.source_url, selection.source_title = values.source_url, values.source_title.strip()
    count = len(values.pilots)
    selection.line_words = f"{count} {'pilot' if count == 1 else 'pilots'} as published; {values.asked} of {free} free."
    db.session.add(selection)
    acts.reason(words)
    return selection.number


def _count_as_published(call: CallView) -> None:
    """A call to which nothing was submitted here has its results public by the source they were recorded from."""
    closed = call.phase(acts.moment()) is Phase.CLOSED
    if closed and call.results_public_at is None and not queries.decided(call.id).submitted_here:
        call_acts.results_public_by_source(call.id)


def _enter_published(selection: Selection) -> list[SelectionItem]:
    """The applications and items of a recorded outcome, in the order of its source."""
    items = []
    for position, pilot in enumerate(queries.pilots_of(selection), 1):
        application_id = applications.record_published(
            selection.call_id,
            pilot.title,
            pilot.acronym or None,
            pilot.organisations,
            pilot.source_url or selection.source_url or "",
            requested=pilot.amount,
            summary=pilot.summary or None,
            synthetic_note=pilot.synthetic_note or None,
            cells=pilot.cells,
        )
        item = SelectionItem(
            selection_id=selection.id,
            application_id=application_id,
            position=position,
            outcome=Outcome.SELECTED.value,
            amount=pilot.amount,
            amount_basis=pilot.amount_basis.value,
            tie_words="",
            threshold_words="",
            straddles=False,
            missing=ZERO,
        )
        db.session.add(item)
        items.append(item)
    _enter_others(selection, len(items))
    db.session.flush()
    return items


_ENDED = {
    EndedElsewhere.NOT_FUNDED: ApplicationState.NOT_FUNDED,
    EndedElsewhere.INELIGIBLE: ApplicationState.INELIGIBLE,
    EndedElsewhere.WITHDRAWN: ApplicationState.WITHDRAWN,
}


def _enter_others(selection: Selection, after: int) -> None:
    """The applications of a recorded outcome that got no grant; those that were judged stand on its list below the others."""
    position = after
    for other in queries.others_of(selection):
        application_id = applications.record_published(
            selection.call_id,
            other.title,
            None,
            other.organisations,
            selection.source_url or "",
            requested=other.requested,
            summary=other.recorded,
            synthetic_note=other.synthetic_note or None,
            state=_ENDED[other.ended],
        )
        if other.ended is EndedElsewhere.NOT_FUNDED:
            position += 1
            db.session.add(
                SelectionItem(
                    selection_id=selection.id,
                    application_id=application_id,
                    position=position,
                    outcome=Outcome.NOT_FUNDED.value,
                    amount=other.requested,
                    amount_basis=(AmountBasis.SYNTHETIC if other.synthetic_note else AmountBasis.REQUESTED).value,
                    tie_words="",
                    threshold_words="",
                    straddles=False,
                    missing=ZERO,
                )
            )
