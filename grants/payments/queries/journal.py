"""The ledger's pages, which name grants, organisations and people; the ledger itself knows only their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.orders import order_views
from grants.payments.queries.requests import by_id, request_views
from grants.payments.rules import (
    LedgerAsk,
    OrderView,
    RequestView,
)

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

    page: books.EntryPage
    grants: dict[UUID, GrantName]
    unknown_grant: bool
    partial: bool = False


def ledger(actor: Actor, asked: LedgerAsk, *, after: str | None = None, limit: int = books.PAGE_ENTRIES) -> LedgerPage:
    """The journal as this person may see it, newest first, with running balance where one account is asked for."""
    grant_id, unknown = None, False
    if asked.grant_reference:
        try:
            grant_id = agreements.id_of(actor, asked.grant_reference)
        except NotFound:
            unknown = True
    by_name = tuple(row.id for row in agreements.grants(actor, search=asked.text)) if asked.text else ()
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
        return LedgerPage(books.EntryPage((), None, narrowed), {}, True, books.leaves_out(actor))
    found = books.entries(actor, narrowed, after=after, limit=limit)
    names = _grant_names({each for row in found.rows for each in row.grant_ids})
    return LedgerPage(found, names, False, books.leaves_out(actor))


def _grant_names(grant_ids: Iterable[UUID]) -> dict[UUID, GrantName]:
    return {
        grant_id: GrantName(grant.reference, grant.acronym or grant.title)
        for grant_id, grant in by_id(Grant, grant_ids).items()
    }


def ledger_lines(actor: Actor, asked: LedgerAsk) -> Iterator[Sequence[object]]:
    """The same list as rows for a CSV, at most 5,000, everything named; account columns where one account is asked for."""
    found = ledger(actor, asked, limit=CSV_ROWS_MAX)
    account = (asked.account.value, asked.account.label) if asked.account else (None, None)
    yield (
        *("entry", "date", "event", "event_name", "description", "grant", "grant_name"),
        *("account", "account_name", "amount_eur", "moved_eur", "balance_eur"),
    )
    for row in found.page.rows:
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


def ledger_entry(actor: Actor, ref: str) -> EntryPage:
    """One entry of the journal, its documents, acts and people; raises :class:`NotFound`."""
    found = books.entry(actor, ref)
    organisations = identity.organisations({leg.dims.organisation_id for leg in found.legs if leg.dims.organisation_id})
    people = identity.people({line.user_id for line in found.acts if line.user_id})
    documents = {leg.dims.document_id for leg in found.legs if leg.dims.document_id}
    orders = order_views(list(by_id(PaymentOrder, documents).values()))
    requests = request_views(list(by_id(PaymentRequest, documents).values()))
    return EntryPage(
        entry=found,
        grants=_grant_names({leg.dims.grant_id for leg in found.legs if leg.dims.grant_id}),
        organisations={each: view.name for each, view in organisations.items()},
        people={each: person.name for each, person in people.items()},
        request=requests[0] if requests else None,
        order=orders[0] if orders else None,
    )
