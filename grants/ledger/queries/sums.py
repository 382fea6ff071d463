"""Balances of accounts by place and moment, which are always sums of the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    case,
    func,
    select,
    type_coerce,
    union_all,
)

from grants.core.db import among, db
from grants.core.money import Money
from grants.core.together import Asking, ask, reader
from grants.ledger import rules
from grants.ledger.accounts import CHART, Account, Floor, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.rules import NOW, AsOf, Balances, Dimensions, natural

# As a plain number: sums come back wider than the column, and are made Money here.
leg_cents = type_coerce(LedgerLeg.cents, BigInteger)
debits_sum = func.coalesce(func.sum(case((LedgerLeg.side == Side.DEBIT.value, leg_cents))), 0)
credits_sum = func.coalesce(func.sum(case((LedgerLeg.side == Side.CREDIT.value, leg_cents))), 0)
leg_net = case((LedgerLeg.side == Side.DEBIT.value, leg_cents), else_=-leg_cents)


def balance(
    account: Account,
    *,
    fund_source_id: UUID | None = None,
    call_id: UUID | None = None,
    grant_id: UUID | None = None,
    organisation_id: UUID | None = None,
    as_of: AsOf | None = None,
) -> Money:
    """The natural balance of one account: positive on the side where it grows. One statement."""
    found = of(
        accounts=(account,),
        fund_source_id=fund_source_id,
        call_id=call_id,
        grant_id=grant_id,
        organisation_id=organisation_id,
        as_of=as_of,
    )
    return found[account]


@reader
def of(
    *,
    accounts: Sequence[Account] = (),
    fund_source_id: UUID | None = None,
    call_id: UUID | None = None,
    grant_id: UUID | None = None,
    organisation_id: UUID | None = None,
    as_of: AsOf | None = None,
) -> Asking[Balances]:
    """The natural balances of all (or these) accounts for one place. One statement."""
    statement = known_at(as_of, select(LedgerLeg.account, debits_sum, credits_sum)).group_by(LedgerLeg.account)
    if accounts:
        statement = statement.where(LedgerLeg.account.in_([account.value for account in accounts]))
    statement = _within(statement, fund_source_id, call_id, grant_id, organisation_id)
    return Balances(
        {
            Account(code): natural(Account(code), int(debits), int(credits))
            for code, debits, credits in (yield from ask(statement))
        }
    )


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One account within one combination of dimensions; dimensions not asked for are None."""

    account: Account
    dims: Dimensions
    debits: Money
    credits: Money

    @property
    def amount(self) -> Money:
        """The natural balance."""
        return natural(self.account, self.debits.cents, self.credits.cents)


@reader
def balances(
    *,
    by: Sequence[str] = ("call_id", "grant_id"),
    accounts: Sequence[Account] = (),
    fund_source_id: UUID | None = None,
    call_id: UUID | None = None,
    grant_id: UUID | None = None,
    organisation_id: UUID | None = None,
    as_of: AsOf | None = None,
) -> Asking[tuple[BalanceRow, ...]]:
    """Balances by account and the dimensions named in ``by``, ordered by account, then dimensions. One statement."""
    assert set(by) <= set(rules.DIMENSIONS), f"not dimensions of a leg: {by}"
    dims = [getattr(LedgerLeg, name) for name in by]
    statement = known_at(as_of, select(LedgerLeg.account, debits_sum, credits_sum, *dims))
    statement = statement.group_by(LedgerLeg.account, *dims).order_by(LedgerLeg.account, *dims)
    if accounts:
        statement = statement.where(LedgerLeg.account.in_([account.value for account in accounts]))
    statement = _within(statement, fund_source_id, call_id, grant_id, organisation_id)
    return tuple(
        BalanceRow(
            Account(code),
            Dimensions(**dict(zip(by, values, strict=True))),
            Money(int(debits)),
            Money(int(credits)),
        )
        for code, debits, credits, *values in (yield from ask(statement))
    )


def available_cents(call_id: SQLColumnExpression[Any]) -> ScalarSelect[Any]:
    """What of the call that an outer statement names is available, in cents: for a condition on many calls."""
    grown = leg_net if Account.AVAILABLE.normal_side is Side.DEBIT else -leg_net
    return (
        select(func.coalesce(func.sum(grown), 0))
        .where(LedgerLeg.account == Account.AVAILABLE.value, LedgerLeg.call_id == call_id)
        .scalar_subquery()
    )


def grants_balances(grant_ids: Sequence[UUID], *, as_of: AsOf | None = None) -> dict[UUID, Balances]:
    """The balances of each of these grants; a grant without entries stands at zero. One statement."""
    statement = known_at(as_of, select(LedgerLeg.grant_id, LedgerLeg.account, debits_sum, credits_sum))
    statement = statement.where(LedgerLeg.grant_id.in_(grant_ids)).group_by(LedgerLeg.grant_id, LedgerLeg.account)
    found: dict[UUID, dict[Account, Money]] = {grant_id: {} for grant_id in grant_ids}
    for grant_id, code, debits, credits in db.session.execute(statement):
        account = Account(code)
        found[grant_id][account] = natural(account, int(debits), int(credits))
    return {grant_id: Balances(amounts) for grant_id, amounts in found.items()}


def sums_by_grant(ids: Select[Any]) -> Select[Any]:
    """Debits and credits in cents by grant and account of the grants a select names: for a reader to ask beside others."""
    return (
        select(LedgerLeg.grant_id, LedgerLeg.account, debits_sum.label("debits"), credits_sum.label("credits"))
        .where(LedgerLeg.grant_id.in_(ids))
        .group_by(LedgerLeg.grant_id, LedgerLeg.account)
    )


def cents_of(amount: Any) -> SQLColumnExpression[int]:
    """An amount as a plain number, to be summed."""
    return type_coerce(amount, BigInteger)


def at_places(wanted: Collection[tuple[Account, UUID]]) -> dict[tuple[Account, UUID], Money]:
    """The natural balance of each account within the call or grant of its floor; without legs it is left out. One statement."""
    parts = []
    for floor in (Floor.CALL, Floor.GRANT):
        pairs = {(account, place) for account, place in wanted if CHART[account].floor is floor}
        if pairs:
            column = getattr(LedgerLeg, floor.value)
            parts.append(
                select(LedgerLeg.account, column, debits_sum, credits_sum)
                .where(LedgerLeg.account.in_(sorted({account.value for account, _ in pairs})))
                .where(among(column, sorted({place for _, place in pairs})))
                .group_by(LedgerLeg.account, column)
            )
    if not parts:
        return {}
    return {
        (Account(code), place): natural(Account(code), int(debits), int(credits))
        for code, place, debits, credits in db.session.execute(union_all(*parts))
    }


def sides(entry_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Debits and credits of each of these entries in cents, as they stand in the journal. One statement."""
    statement = select(LedgerLeg.entry_id, debits_sum, credits_sum).where(among(LedgerLeg.entry_id, entry_ids))
    return {
        entry_id: (int(debits), int(credits))
        for entry_id, debits, credits in db.session.execute(statement.group_by(LedgerLeg.entry_id))
    }


def trial_balance(*, call_id: UUID | None = None, as_of: AsOf | None = None) -> tuple[BalanceRow, ...]:
    """Debits and credits of every account that was ever touched, in the order of the chart. One statement."""
    return balances(by=(), call_id=call_id, as_of=as_of)


def partners_open(grant_id: UUID) -> tuple[tuple[UUID | None, Money], ...]:
    """The open legal commitment of each partner of a grant, in the order of their ids."""
    rows = balances(by=("organisation_id",), accounts=(Account.LEGALLY_COMMITTED,), grant_id=grant_id)
    return tuple((row.dims.organisation_id, row.amount) for row in rows)


def partners_consumed(grant_id: UUID) -> tuple[tuple[UUID | None, Money], ...]:
    """What each partner of a grant has consumed, in the order of their ids."""
    rows = balances(by=("organisation_id",), accounts=(Account.CONSUMED,), grant_id=grant_id)
    return tuple((row.dims.organisation_id, row.amount) for row in rows)


def known_at(as_of: AsOf | None, statement: Select[Any]) -> Select[Any]:
    moment = as_of or NOW
    if moment == NOW:
        return statement
    statement = statement.join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
    if moment.recorded_before is not None:
        statement = statement.where(LedgerEntry.recorded_at < moment.recorded_before)
    if moment.effective_to is not None:
        statement = statement.where(LedgerEntry.effective_on <= moment.effective_to)
    return statement


def _within(
    statement: Select[Any],
    fund_source_id: UUID | None,
    call_id: UUID | None,
    grant_id: UUID | None,
    organisation_id: UUID | None,
) -> Select[Any]:
    wanted = {
        LedgerLeg.fund_source_id: fund_source_id,
        LedgerLeg.call_id: call_id,
        LedgerLeg.grant_id: grant_id,
        LedgerLeg.organisation_id: organisation_id,
    }
    return statement.where(*(column == value for column, value in wanted.items() if value is not None))
