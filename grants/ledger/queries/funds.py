"""What a parent grant's money stands at, over everything it pays and in each of its calls."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.core.money import ZERO, Money
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.journal import visible
from grants.ledger.queries.sums import credits_sum, debits_sum
from grants.ledger.rules import Balances, natural

# Received from the parent grant; what its calls are bound to pay, paid, advanced and accepted.
SHOWN = (
    Account.FUNDING_RECEIVED,
    Account.LEGALLY_COMMITTED,
    Account.CONSUMED,
    Account.PREFINANCING,
    Account.GRANT_COSTS,
)
CALLS_MAX = 500


@reader
def of_fund(actor: Actor, fund_source_id: UUID) -> Asking[dict[UUID | None, Balances]]:
    """The balances within each call of a parent grant, None for what is of no call, as this person may see them.

    One statement.
    """
    statement = (
        select(LedgerLeg.call_id, LedgerLeg.account, debits_sum, credits_sum)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(LedgerLeg.fund_source_id == fund_source_id, LedgerLeg.account.in_([each.value for each in SHOWN]))
        .where(visible(actor))
        .group_by(LedgerLeg.call_id, LedgerLeg.account)
        .order_by(LedgerLeg.call_id, LedgerLeg.account)
        .limit(CALLS_MAX * len(SHOWN))
    )
    found: dict[UUID | None, dict[Account, Money]] = {}
    for call_id, code, debits, credits in (yield from ask(statement)):
        account = Account(code)
        found.setdefault(call_id, {})[account] = natural(account, int(debits), int(credits))
    return {call_id: Balances(amounts) for call_id, amounts in found.items()}


def summed(parts: dict[UUID | None, Balances]) -> Balances:
    """All of them together."""
    sums = {account: ZERO for account in SHOWN}
    for balances in parts.values():
        for account in SHOWN:
            sums[account] += balances[account]
    return Balances(sums)
