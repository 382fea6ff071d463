"""What moved some accounts of one grant: by event, and entry by entry; for pages that explain a figure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_

from grants.core.money import Money
from grants.core.paging import Page, Rows, Tally, cut
from grants.core.together import Asking, ask, reader
from grants.ledger import rules
from grants.ledger.accounts import Account, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.journal import entry_key
from grants.ledger.queries.sums import credits_sum, debits_sum, leg_cents, leg_net
from grants.ledger.rules import Event, natural


@dataclass(frozen=True, slots=True)
class Moved:
    """An entry, and by how much it moved these accounts together, in their own direction."""

    ref: str
    event: Event
    effective_on: date
    description: str
    amount: Money


@reader
def moved_by_event(grant_id: UUID, accounts: Collection[Account]) -> Asking[dict[tuple[Account, Event], Money]]:
    """What each kind of event moved on these accounts of a grant, in the account's own direction. One statement."""
    statement = (
        select(LedgerLeg.account, LedgerEntry.event, debits_sum.label("debits"), credits_sum.label("credits"))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(LedgerLeg.grant_id == grant_id, LedgerLeg.account.in_([each.value for each in accounts]))
        .group_by(LedgerLeg.account, LedgerEntry.event)
    )
    return {
        (Account(row.account), Event(row.event)): natural(Account(row.account), int(row.debits), int(row.credits))
        for row in (yield from ask(statement))
    }


@reader
def moves(grant_id: UUID, accounts: Collection[Account], page: Page) -> Asking[Rows[Moved]]:
    """The entries that moved these accounts of a grant, newest first. One statement.

    Accounts that stand on the same side only: together they have one direction.
    """
    side = {each.normal_side for each in accounts}
    assert len(side) == 1, "accounts of one direction"
    net = func.sum(leg_net)
    wanted = (LedgerLeg.grant_id == grant_id, LedgerLeg.account.in_([each.value for each in accounts]))
    number = select(func.count(LedgerLeg.entry_id.distinct())).where(*wanted).scalar_subquery()
    columns = (LedgerEntry.number, LedgerEntry.effective_on, LedgerEntry.event, LedgerEntry.description)
    statement = (
        select(*columns, net.label("net"), number.label("counted"))
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        .where(*wanted)
        .group_by(LedgerEntry.id)
    )
    if (key := entry_key(page.after)) is not None:
        statement = statement.where(tuple_(LedgerEntry.effective_on, LedgerEntry.number) < tuple_(*key))
    order = (LedgerEntry.effective_on.desc(), LedgerEntry.number.desc())
    rows = yield from ask(statement.order_by(*order).limit(page.limit))
    return _on_page(rows, page, 1 if side == {Side.DEBIT} else -1)


@reader
def moves_of(documents: ColumnElement[bool], page: Page) -> Asking[Rows[Moved]]:
    """The entries that have a leg of these documents, newest first, each with what it is about in one figure. One statement.

    That is the debit sum of its general ledger, else of its only one, as the journal shows it.
    """
    found = select(LedgerLeg.entry_id).where(documents).distinct().subquery()
    number = select(func.count()).select_from(found).scalar_subquery()
    columns = (LedgerEntry.number, LedgerEntry.effective_on, LedgerEntry.event, LedgerEntry.description)
    sums = [
        func.sum(leg_cents).filter(LedgerLeg.side == Side.DEBIT.value, LedgerLeg.account.in_(_codes(book)))
        for book in (Ledger.GENERAL, Ledger.BUDGET, Ledger.MEMO)
    ]
    statement = (
        select(*columns, func.coalesce(*sums, 0).label("net"), number.label("counted"))
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        .where(LedgerEntry.id.in_(select(found.c.entry_id)))
        .group_by(LedgerEntry.id)
    )
    if (key := entry_key(page.after)) is not None:
        statement = statement.where(tuple_(LedgerEntry.effective_on, LedgerEntry.number) < tuple_(*key))
    order = (LedgerEntry.effective_on.desc(), LedgerEntry.number.desc())
    rows = yield from ask(statement.order_by(*order).limit(page.limit))
    return _on_page(rows, page, 1)


def _codes(book: Ledger) -> list[str]:
    return [each.value for each in Account if each.ledger is book]


def _on_page(rows: Sequence[Any], page: Page, sign: int) -> Rows[Moved]:
    on_page = cut(
        list(rows),
        page,
        total=Tally.of(rows[0].counted) if rows else None,
        key=lambda row: f"{row.effective_on.isoformat()}.{row.number}",
    )
    made = tuple(
        Moved(
            rules.reference(row.number, row.effective_on),
            Event(row.event),
            row.effective_on,
            row.description,
            Money(sign * int(row.net)),
        )
        for row in on_page.items
    )
    return Rows(made, on_page.next_key, total=on_page.total, first=on_page.first)
