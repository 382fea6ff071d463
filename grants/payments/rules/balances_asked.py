"""What the page of balances is asked for, and what it says of each account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from grants.core.money import ZERO, Money
from grants.ledger.accounts import Account


@dataclass(frozen=True, slots=True)
class BalancesAsk:
    """As of which day, as known before which moment, of which grant; nothing means now, and everything."""

    on: date | None = None
    known: datetime | None = None
    grant_reference: str = ""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account as it was known at the moment asked, and as it is known now, both as of the same day."""

    account: Account
    then: Money
    now: Money

    @property
    def corrected(self) -> Money:
        """What was recorded later."""
        return self.now - self.then


def account_lines(then: Mapping[Account, Money], now: Mapping[Account, Money]) -> tuple[AccountLine, ...]:
    """Every account that either time knows, in the order of the chart."""
    return tuple(
        AccountLine(account, then.get(account, ZERO), now.get(account, ZERO))
        for account in Account
        if account in then or account in now
    )
