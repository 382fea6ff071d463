"""The ledger's pages, which name grants, organisations and people; the ledger itself knows only their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core.errors import Invalid, NotFound
from grants.core.paging import Page, Rows
from grants.core.permissions import Actor
from grants.core.together import Asking, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.rules import AsOf
from grants.payments.queries.documents import Deed, Document, documents_of
from grants.payments.queries.places import filter_of
from grants.payments.queries.requests import by_id
from grants.payments.rules import LedgerAsk
from grants.payments.rules.balances_asked import AccountLine, BalancesAsk, account_lines

LIST_ROWS_MAX = 5_000
LEFT_OUT = "Some entries are not shown to you because of a declared conflict."
CUT_OFF = "There are more entries than one file holds. Narrow the list by day, account or grant to get the rest."


@dataclass(frozen=True, slots=True)
class GrantName:
    """How a page names a grant in a list."""

    reference: str
    acronym: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Entries with the names of their grants; ``unknown`` says of each filter that named nothing what is wrong with it,
    ``partial`` that the person's conflicts of interest keep entries out."""

    rows: Rows[books.EntryRow]
    grants: dict[UUID, GrantName]
    # Whether the entries carry a running balance.
    runs: bool
    unknown: dict[str, str]
    partial: bool = False


def ledger(actor: Actor, asked: LedgerAsk, page: Page) -> LedgerPage:
    """The journal as this person may see it, newest first, with running balance where one account is asked for."""
    narrowed, unknown = filter_of(actor, asked)
    if unknown:
        return LedgerPage(Rows(()), {}, narrowed.runs, unknown, books.leaves_out(actor))
    found = books.entries(actor, narrowed, page)
    names = _grant_names({each for row in found.items for each in row.grant_ids})
    return LedgerPage(found, names, narrowed.runs, {}, books.leaves_out(actor))


@reader
def _grant_names(grant_ids: Iterable[UUID]) -> Asking[dict[UUID, GrantName]]:
    found = yield from by_id.asking(Grant, grant_ids)
    return {grant_id: GrantName(grant.reference, grant.acronym or grant.title) for grant_id, grant in found.items()}


LEDGER_COLUMNS = (
    *("entry", "date", "event", "event_name", "description", "grant", "grant_name"),
    *("account", "account_name", "amount_eur", "moved_eur", "balance_eur"),
)


def ledger_lines(actor: Actor, asked: LedgerAsk) -> Iterator[Sequence[object]]:
    """The same list as rows of a file, at most 5,000, everything named; account columns where one account is asked for.

    Raises :class:`Invalid` where a filter names nothing.
    """
    found = ledger(actor, asked, Page(size=LIST_ROWS_MAX))
    if found.unknown:
        raise Invalid(" ".join(found.unknown.values()))
    return _lines(found, (asked.account.value, asked.account.label) if asked.account else (None, None))


def _lines(found: LedgerPage, account: tuple[str | None, str | None]) -> Iterator[Sequence[object]]:
    for row in found.rows.items:
        named = [found.grants[each] for each in row.grant_ids if each in found.grants]
        yield (
            *(row.ref, row.effective_on, row.event.value, row.event.label, row.description),
            *("; ".join(each.reference for each in named), "; ".join(each.acronym for each in named)),
            *(*account, row.amount, row.moved, row.balance),
        )
    if found.partial:
        yield (None, None, None, None, LEFT_OUT, *[None] * 7)
    if found.rows.next_key is not None:
        yield (None, None, None, None, CUT_OFF, *[None] * 7)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One entry with everything a page names: grants, organisations, people, and the documents behind it."""

    entry: books.EntryView
    grants: dict[UUID, GrantName]
    organisations: dict[UUID, str]
    people: dict[UUID, str]
    documents: tuple[Document, ...]
    deeds: tuple[Deed, ...]

    @property
    def about(self) -> str:
        """The reference of what its acts were about, as far as one is known."""
        named = [each.reference for each in self.documents] + [each.reference for each in self.grants.values()]
        return next(iter(named), "")


@reader
def ledger_entry(actor: Actor, ref: str) -> Asking[EntryPage]:
    """One entry of the journal, its documents, acts and people, in five statements; raises :class:`NotFound`."""
    found = yield from books.entry.asking(actor, ref)
    about: list[Asking[Any]] = [
        identity.organisations.asking({leg.dims.organisation_id for leg in found.legs if leg.dims.organisation_id}),
        _grant_names.asking({leg.dims.grant_id for leg in found.legs if leg.dims.grant_id}),
        documents_of.asking(actor, {leg.dims.document_id for leg in found.legs if leg.dims.document_id}),
    ]
    organisations, grants, (documents, deeds) = yield from side_by_side(about)
    people = yield from identity.people.asking(
        {each.user_id for each in (*found.acts, *deeds) if each.user_id is not None}
    )
    return EntryPage(
        entry=found,
        grants=grants,
        organisations={each: view.name for each, view in organisations.items()},
        people={each: person.name for each, person in people.items()},
        documents=documents,
        deeds=deeds,
    )


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
