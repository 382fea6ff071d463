"""Bank accounts of organisations."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import (
    BankAccount,
)
from grants.agreements.rules import (
    AccountView,
)
from grants.agreements.states import (
    BankAccountState,
)
from grants.core.together import Asking, ask, reader
from grants.identity import queries as identity


@reader
def account_of(organisation_id: UUID) -> Asking[AccountView | None]:
    """The organisation's confirmed account, or else the one that waits for confirmation; None where there is neither."""
    rows = yield from accounts.asking(organisation_id, states=(BankAccountState.CONFIRMED, BankAccountState.PROPOSED))
    return next((row for row in rows if row.state is BankAccountState.CONFIRMED), rows[0] if rows else None)


def proposed_account(organisation_id: UUID) -> AccountView | None:
    """The account that waits for a second person, or None."""
    return next(iter(accounts(organisation_id, states=(BankAccountState.PROPOSED,))), None)


@reader
def accounts(
    organisation_id: UUID, *, states: Iterable[BankAccountState] = BankAccountState
) -> Asking[tuple[AccountView, ...]]:
    """All accounts an organisation ever had, newest first, at most 50."""
    rows = yield from ask(
        select(BankAccount)
        .where(BankAccount.organisation_id == organisation_id, BankAccount.state.in_([str(state) for state in states]))
        .order_by(BankAccount.entered_at.desc(), BankAccount.id)
        .limit(50)
    )
    people = yield from identity.people.asking(
        [found for row in rows for found in (row.entered_by, row.confirmed_by) if found]
    )
    return tuple(
        AccountView(
            id=row.id,
            version=row.version,
            organisation_id=row.organisation_id,
            holder=row.holder,
            iban=row.iban,
            bic=row.bic,
            state=BankAccountState(row.state),
            entered_by=row.entered_by,
            entered_by_name=people[row.entered_by].name,
            entered_at=row.entered_at,
            confirmed_by=row.confirmed_by,
            confirmed_by_name=people[row.confirmed_by].name if row.confirmed_by else None,
            confirmed_at=row.confirmed_at,
        )
        for row in rows
    )
