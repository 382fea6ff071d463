"""The ledger's pages, which name grants, organisations and people; the ledger itself knows only their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows
from grants.core.permissions import Actor
from grants.core.text import fold
from grants.core.together import Asking, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.rules import AsOf
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.orders import order_views
from grants.payments.queries.requests import by_id, request_views
from grants.payments.rules import (
    LedgerAsk,
    OrderView,
    RequestView,
)
from grants.payments.rules.balances_asked import AccountLine, BalancesAsk, account_lines

CSV_ROWS_MAX = 5_000
LEFT_OUT = "Some entries are not shown to you because of a declared conflict."


@dataclass(frozen=True, slots=True)
class GrantName:
    """How a page names a grant in a list."""

    reference: str
    acronym: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Entries with the names of their grants; ``unknown_grant`` says that a filter named none, ``partial`` that the
    person's conflicts of interest keep entries out."""

    rows: Rows[books.EntryRow]
    grants: dict[UUID, GrantName]
    # Whether the entries carry a running balance.
    runs: bool
    unknown_grant: bool
    partial: bool = False


def ledger(actor: Actor, asked: LedgerAsk, page: Page) -> LedgerPage:
    """The journal as this person may see it, newest first, with running balance where one account is asked for."""
    grant_id, unknown = None, False
    if asked.grant_reference:
        try:
            grant_id = agreements.id_of(actor, asked.grant_reference)
        except NotFound:
            unknown = True
    by_name = agreements.found_by_name(actor, asked.text) if fold(asked.text) else ()
    narrowed = books.EntryFilter(
        account=asked.account,
        event=asked.event,
        grant_id=grant_id,
        effective_from=asked.from_on,
        effective_before=clock.add_days(asked.to_on, 1) if asked.to_on else None,
        text=asked.text,
        text_grant_ids=by_name,
    )
    if unknown:
        return LedgerPage(Rows(()), {}, narrowed.runs, True, books.leaves_out(actor))
    found = books.entries(actor, narrowed, page)
    names = _grant_names({each for row in found.items for each in row.grant_ids})
    return LedgerPage(found, names, narrowed.runs, False, books.leaves_out(actor))


@reader
def _grant_names(grant_ids: Iterable[UUID]) -> Asking[dict[UUID, GrantName]]:
    found = yield from by_id.asking(Grant, grant_ids)
    return {grant_id: GrantName(grant.reference, grant.acronym or grant.title) for grant_id, grant in found.items()}


def ledger_lines(actor: Actor, asked: LedgerAsk) -> Iterator[Sequence[object]]:
    """The same list as rows for a CSV, at most 5,000, everything named; account columns where one account is asked for."""
    found = ledger(actor, asked, Page(size=CSV_ROWS_MAX))
    account = (asked.account.value, asked.account.label) if asked.account else (None, None)
    yield (
        *("entry", "date", "event", "event_name", "description", "grant", "grant_name"),
        *("account", "account_name", "amount_eur", "moved_eur", "balance_eur"),
    )
    for row in found.rows.items:
        named = [found.grants[each] for each in row.grant_ids if each in found.grants]
        yield (
            *(row.ref, row.effective_on, row.event.value, row.event.label, row.description),
            *("; ".join(each.reference for each in named), "; ".join(each.acronym for each in named)),
            *(*account, row.amount, row.moved, row.balance),
        )
    if found.partial:
        yield (None, None, None, None, LEFT_OUT, *[None] * 7)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One entry with everything a page names: grants, organisations, people, and the document behind it."""

    entry: books.EntryView
    grants: dict[UUID, GrantName]
    organisations: dict[UUID, str]
    people: dict[UUID, str]
    request: RequestView | None
    order: OrderView | None

    @property
    def about(self) -> str:
        """The reference of what its acts were about, as far as one is known."""
        named = (self.order, self.request, *self.grants.values())
        return next((each.reference for each in named if each is not None), "")


@reader
def ledger_entry(actor: Actor, ref: str) -> Asking[EntryPage]:
    """One entry of the journal, its documents, acts and people, in five statements; raises :class:`NotFound`."""
    found = yield from books.entry.asking(actor, ref)
    documents = {leg.dims.document_id for leg in found.legs if leg.dims.document_id}
    about: list[Asking[Any]] = [
        identity.organisations.asking({leg.dims.organisation_id for leg in found.legs if leg.dims.organisation_id}),
        identity.people.asking({line.user_id for line in found.acts if line.user_id}),
        _grant_names.asking({leg.dims.grant_id for leg in found.legs if leg.dims.grant_id}),
        _orders(documents),
        _requests(documents),
    ]
    organisations, people, grants, orders, requests = yield from side_by_side(about)
    return EntryPage(
        entry=found,
        grants=grants,
        organisations={each: view.name for each, view in organisations.items()},
        people={each: person.name for each, person in people.items()},
        request=requests[0] if requests else None,
        order=orders[0] if orders else None,
    )


def _orders(order_ids: Iterable[UUID]) -> Asking[tuple[OrderView, ...]]:
    found = yield from by_id.asking(PaymentOrder, order_ids)
    return (yield from order_views.asking(list(found.values())))


def _requests(request_ids: Iterable[UUID]) -> Asking[tuple[RequestView, ...]]:
    found = yield from by_id.asking(PaymentRequest, request_ids)
    return (yield from request_views.asking(list(found.values())))


@dataclass(frozen=True, slots=True)
class BalancesPage:
    """Every account as it was known then and is known now; ``unknown_grant`` and ``partial`` as on the ledger's page."""

    lines: tuple[AccountLine, ...]
    unknown_grant: bool = False
    partial: bool = False


def stood(actor: Actor, asked: BalancesAsk) -> BalancesPage:
    """The accounts as of a day, as they were known at a moment and as they are known now. Four statements at most."""
    grant_id = None
    if asked.grant_reference:
        try:
            grant_id = agreements.id_of(actor, asked.grant_reference)
        except NotFound:
            return BalancesPage((), unknown_grant=True, partial=books.leaves_out(actor))
    now = books.stood(actor, grant_id=grant_id, as_of=AsOf(effective_to=asked.on))
    then = now
    if asked.known is not None:
        then = books.stood(actor, grant_id=grant_id, as_of=AsOf(asked.known, asked.on))
    return BalancesPage(account_lines(then, now), partial=books.leaves_out(actor))
