"""The moves of budget of a grant, and what of it is bound in the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from grants.agreements.models import Beneficiary, BudgetTransfer, Grant
from grants.agreements.queries.reach import scope
from grants.agreements.rules import Flexibility, TransferView
from grants.agreements.rules.changes import Held
from grants.agreements.states import TransferLevel
from grants.calls.models import Call
from grants.core.db import db, get, locked
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Scope
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation, User
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances

_taker = aliased(Organisation)
_BOUND = (
    Account.LEGALLY_COMMITTED, Account.CONSUMED, Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED, Account.GRANT_COSTS,
)  # fmt: skip


def money_locked(grant_id: UUID) -> Scope:
    """Where a grant lies, its money locked in the one order: its call, itself, its partners."""
    locked(Call, get(Grant, grant_id).call_id)
    grant = locked(Grant, grant_id)
    db.session.scalars(
        select(Beneficiary.id).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.id).with_for_update()
    ).all()
    return scope(grant)


@reader
def transfers(grant_id: UUID) -> Asking[tuple[TransferView, ...]]:
    """Every move of a grant in order."""
    rows = yield from ask(
        select(
            BudgetTransfer.number, BudgetTransfer.from_category, BudgetTransfer.to_category, BudgetTransfer.amount,
            BudgetTransfer.maximum_moved, BudgetTransfer.level, BudgetTransfer.reason, BudgetTransfer.cumulative_after,
            BudgetTransfer.made_at, Organisation.name.label("giver"), _taker.name.label("taker"), User.name.label("maker"),
        )
        .select_from(BudgetTransfer)
        .join(Organisation, Organisation.id == BudgetTransfer.from_organisation_id)
        .join(_taker, _taker.id == BudgetTransfer.to_organisation_id)
        .join(User, User.id == BudgetTransfer.made_by)
        .where(BudgetTransfer.grant_id == grant_id)
        .order_by(BudgetTransfer.number)
    )  # fmt: skip
    return tuple(
        TransferView(
            row.number, row.giver, row.from_category, row.taker, row.to_category, row.amount, row.maximum_moved,
            TransferLevel(row.level), row.reason, row.cumulative_after, row.maker, row.made_at,
        )
        for row in rows
    )  # fmt: skip


@reader
def flexibility(grant_id: UUID) -> Asking[Flexibility | None]:
    """What may be moved in a grant and what was; None where its call lays down nothing, or it is from before."""
    ((row,), (sums,)) = yield [
        select(Grant.maximum, Grant.transfer_free, Grant.transfer_notify).where(Grant.id == grant_id),
        select(func.max(BudgetTransfer.cumulative_after).label("used")).where(BudgetTransfer.grant_id == grant_id),
    ]
    if row.transfer_free is None or row.transfer_notify is None:
        return None
    used = sums.used if sums.used is not None else ZERO
    return Flexibility(row.maximum, row.transfer_free, row.transfer_notify, used)


def held_of(grant_id: UUID) -> dict[UUID, Held]:
    """What is bound of each partner's maximum. One statement."""
    sums: dict[UUID, dict[Account, Money]] = {}
    for row in books.balances(by=("organisation_id",), accounts=_BOUND, grant_id=grant_id):
        if row.dims.organisation_id is not None:
            sums.setdefault(row.dims.organisation_id, {})[row.account] = row.amount
    return {who: _held(Balances(amounts)) for who, amounts in sums.items()}


def _held(each: Any) -> Held:
    on_the_way = total(each[account] for account in (Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED))
    return Held(
        each[Account.LEGALLY_COMMITTED], each[Account.CONSUMED], max(on_the_way, ZERO), each[Account.GRANT_COSTS]
    )
