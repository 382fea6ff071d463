"""Budget and results day of a call: what the authorising officer sets, and what later stages ask for."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call
from grants.calls.rules import NOT_FOUND, BudgetInput, CallSummary, ResultsInput
from grants.calls.services.keeping import summary
from grants.calls.states import CallState
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import check_version, locked
from grants.core.errors import Refused
from grants.core.money import ZERO
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.ledger import rules as ledger_rules
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event


@act(
    "call.authorise_budget",
    needs=Permission.BUDGET_AUTHORISE,
    scope=queries.scope_of,
    says="authorised the budget of call {subject}",
)
def authorise_budget(actor: Actor, call_id: UUID, given: BudgetInput) -> CallSummary:
    """Set the budget of a call to an amount (E1): raised at will, lowered only down to what is free."""
    demand_fresh(actor)
    call = locked(Call, call_id)
    if call.state != CallState.PUBLISHED.value:
        raise Refused(f"This call is {call.state}; a budget is authorised for a published call.")
    if not call.pays:
        raise Refused("This call pays no money, so it has no budget. Its “what it leads to” says so.")
    change = rules.budget_change(
        stands=queries.authorised(call.id), free=queries.free(call.id), shown=given.shown, wanted=given.amount
    )
    dims = Dimensions(fund_source_id=call.fund_source_id, call_id=call.id)
    words = given.note.strip()
    acts.reason(words)
    ledger.post(
        Event.BUDGET_SET,
        source_key=f"call:{call.id}:budget:{acts.running_act().id}",
        effective_on=clock.in_zone(acts.moment(), call.zone).date(),
        description=f"Budget of {call.reference} {'raised' if change > ZERO else 'lowered'} to {given.amount}",
        legs=ledger_rules.legs_e1(change, dims) if change > ZERO else ledger_rules.legs_e1_lowered(-change, dims),
    )
    acts.subject("call", call.id)
    assert queries.authorised(call.id) == given.amount, "the ledger stands where the officer set it"
    return summary(call, (f"The budget of the call is now {given.amount}.",))


def make_results_public(call_id: UUID, given: ResultsInput, *, version: int | None = None) -> datetime:
    """Set from when the results of a call are public, inside the act of the stage that knows they are decided.

    The moment may move as long as it has not come; what was once public stays so. Returns the moment.
    """
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_public(call)
    current = queries.last_deadline(call.id)
    at = rules.results_moment(given, call.zone, closes_at=current.closes_at if current else None, at=acts.moment())
    call.results_public_at = at
    return at


def refuse_public(call_id: UUID) -> None:
    """Raise :class:`Refused` where a call has no results to publish, or they are public already."""
    _refuse_public(locked(Call, call_id))


def _refuse_public(call: Call) -> None:
    if call.state != CallState.PUBLISHED.value:
        raise Refused(f"This call is {call.state}; only a published call has results.")
    if call.results_public_at is not None and call.results_public_at <= acts.moment():
        raise Refused(
            f"The results are public since {rules.literal_of(call.results_public_at, call.zone)}; that moment stays."
        )


def results_public_by_source(call_id: UUID) -> datetime:
    """Results that were published elsewhere are public here too: from the day the call's file knows, else from now."""
    call = locked(Call, call_id)
    assert call.results_public_at is None, "what is public is not published again"
    call.results_public_at = min(_start_of_results_day(call) or acts.moment(), acts.moment())
    return call.results_public_at


def _start_of_results_day(call: Call) -> datetime | None:
    """The day on which results were made public, from its first minute, where the call's file knew it."""
    known = rules.from_json(call.content).get("dates.results_actual", NOT_FOUND).value
    if known is None or known.day is None:
        return None
    return clock.local_to_utc(datetime.combine(known.day, time.min), call.zone, fold=clock.Fold.EARLIER)
