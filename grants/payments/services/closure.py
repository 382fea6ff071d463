"""The closure of a grant: what stands against it, and what goes back to the call."""

from __future__ import annotations

from uuid import UUID

from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import GRANT, GrantState
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, get, locked
from grants.core.errors import Invalid, Problem, Problems
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.core.together import alone, both
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Dimensions, Event
from grants.payments.queries.distribution import balances_of, waiting_of
from grants.payments.rules.distribution import closure_words
from grants.payments.services.locks import scope_of_grant
from grants.payments.services.requests import today
from grants.reporting import queries as reports


def closure_problems(grant_id: UUID) -> tuple[Problem, ...]:
    """Why a grant cannot be closed yet: a report, a request or an order is open, or an account still holds money."""
    grant = get(Grant, grant_id)
    found = []
    late, stands = alone(both(reports.unsettled.asking(grant.id), books.of.asking(grant_id=grant.id)))
    if late:
        words = f"{len(late)} {'report is' if len(late) == 1 else 'reports are'} neither accepted nor rejected yet."
        found.append(Problem("Reports", words))
    if grant.final_amount is None:
        found.append(Problem("Balance", "The payment of the balance is not decided yet."))
    # What is held for partners stands against it by partner, unless a named person waived it.
    beside: dict[Account, Money] = dict(stands.amounts)
    beside.pop(Account.HELD_BY_COORDINATOR, None)
    found += legs.closure_problems("Ledger", Balances(beside))
    told = closure_words(balances_of(grant), waiting_of(grant_id))
    found += [Problem("Distribution", words) for words in told]
    return tuple(found)


@act("grant.close", needs=Permission.AGREEMENT_CLOSE, scope=scope_of_grant, says="closed grant {subject}")
def close_grant(actor: Actor, grant_id: UUID, *, note: str, version: int | None = None) -> Money:
    """Close a grant whose balance is settled; what was committed and never used goes back to the call (E21).

    Returns what was given back.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    check_version(grant, version)
    GRANT.target(GrantState(grant.state), "close")
    if not note.strip():
        raise Invalid("Say on what the closure rests.", {"note": "Write what was looked at before closing."})
    problems = closure_problems(grant_id)
    if problems:
        raise Problems("The grant cannot be closed yet.", problems)
    acts.reason(note.strip())
    still_open = [(partner, amount) for partner, amount in books.partners_open(grant_id) if amount]
    if still_open:
        ledger.post(
            Event.DECOMMITTED,
            source_key=f"grant:{grant_id}:decommitted",
            effective_on=today(),
            description=f"{grant.reference}: decommitted at closure",
            legs=legs.legs_e21(still_open, Dimensions(grant.fund_source_id, grant.call_id, grant_id)),
        )
    GRANT.move(grant, "close")
    grant.closed_at = acts.moment()
    return total(amount for _, amount in still_open)
