"""What of the partners' maxima is bound, and the one lock of whoever changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Beneficiary, Grant
from grants.agreements.queries.reach import scope
from grants.agreements.rules.maxima import Held
from grants.calls.models import Call
from grants.core.db import db, get, locked
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Scope
from grants.core.together import Asking, reader, side_by_side
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances

# What a partner's maximum is bound by: on its way to it by an order or a decision.
ON_THE_WAY = (Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED)
_BOUND = (Account.LEGALLY_COMMITTED, Account.CONSUMED, Account.GRANT_COSTS, *ON_THE_WAY)

# Unpacked where it is asked: without it a maximum could fall below costs that are accepted and not booked yet.
_counted: list[Callable[[UUID], Asking[Mapping[UUID, Money]]]] = []


def counted_costs_come_from(read: Callable[[UUID], Asking[Mapping[UUID, Money]]]) -> None:
    """Take the read of the later stage that knows what counts of each partner's costs in accepted reports, booked or not."""
    _counted[:] = [read]


_fixed: list[Callable[[UUID], Asking[tuple[str, ...]]]] = []


def fixed_packages_come_from(read: Callable[[UUID], Asking[tuple[str, ...]]]) -> None:
    """Take the read of the later stage that knows which work packages of a grant are declared or accepted as lump sums."""
    _fixed[:] = [read]


@reader
def fixed_packages(grant_id: UUID) -> Asking[tuple[str, ...]]:
    """The codes of work packages whose lump sum stands, since it is declared or accepted; one statement."""
    (read,) = _fixed
    return (yield from read(grant_id))


def money_locked(grant_id: UUID) -> Scope:
    """Where a grant lies, its money locked in the one order: its call, itself, its partners."""
    locked(Call, get(Grant, grant_id).call_id)
    grant = locked(Grant, grant_id)
    db.session.scalars(
        select(Beneficiary.id).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.id).with_for_update()
    ).all()
    return scope(grant)


@reader
def held_of(grant_id: UUID) -> Asking[dict[UUID, Held]]:
    """What is bound of each partner's maximum: by the ledger, and by costs that were accepted. One statement."""
    (counted,) = _counted
    about: list[Asking[Any]] = [
        books.balances.asking(by=("organisation_id",), accounts=_BOUND, grant_id=grant_id),
        counted(grant_id),
    ]
    rows, costs = yield from side_by_side(about)
    sums: dict[UUID, dict[Account, Money]] = {who: {} for who in costs}
    for row in rows:
        if row.dims.organisation_id is not None:
            sums.setdefault(row.dims.organisation_id, {})[row.account] = row.amount
    return {who: _held(Balances(amounts), costs.get(who, ZERO)) for who, amounts in sums.items()}


def _held(each: Any, costs: Money) -> Held:
    on_the_way = total(each[account] for account in ON_THE_WAY)
    return Held(
        each[Account.LEGALLY_COMMITTED],
        each[Account.CONSUMED],
        max(on_the_way, ZERO),
        max(each[Account.GRANT_COSTS], costs),
    )
