"""What managers and authorisers must do next about calls."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from grants.calls.queries.reading import calls
from grants.calls.rules import CallRow
from grants.calls.states import CallState
from grants.core.duties import Duty
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, both, reader
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """Drafts to finish or publish, budgets to authorise. One statement at most."""
    del at
    if not (actor.can(Permission.CALL_MANAGE) or actor.can(Permission.BUDGET_AUTHORISE)):
        return ()
    seen, sums = yield from both(
        calls.asking(actor), ledger.balances.asking(by=("call_id",), accounts=(Account.BUDGET_AUTHORISED,))
    )
    rows = [row for row in seen if row.state is not CallState.CANCELLED]
    budgets = {found.dims.call_id: found.amount for found in sums}
    return (*_to_publish(actor, rows), *_to_authorise(actor, rows, budgets))


def _to_publish(actor: Actor, rows: Iterable[CallRow]) -> Iterable[Duty]:
    for row in rows:
        if row.state is CallState.DRAFT and actor.may(Permission.CALL_MANAGE, Scope.of(("call", row.id))):
            yield Duty(
                f"Publish the call “{row.title}”",
                "Nobody outside the programme can see it before.",
                "Finish and publish",
                "calls.manage",
                {"slug": row.slug},
                row.opens_at,
            )


def _to_authorise(actor: Actor, rows: Iterable[CallRow], budgets: dict[UUID | None, Money]) -> Iterable[Duty]:
    for row in rows:
        if (
            row.state is CallState.PUBLISHED
            and not budgets.get(row.id, ZERO)
            and actor.may(Permission.BUDGET_AUTHORISE, Scope.of(("call", row.id)))
        ):
            yield Duty(
                f"Authorise the budget of “{row.title}”",
                f"The call announces {row.total}; nothing can be reserved for grants before." if row.total else "",
                "Authorise the budget",
                "calls.budget",
                {"slug": row.slug},
                row.closes_at,
            )
