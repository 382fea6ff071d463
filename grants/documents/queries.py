"""The figures of every statement, all of them read from the ledger; and the runs that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.applications import queries as applications
from grants.applications.models import Application, Submission
from grants.applications.states import PartnerRole
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.documents.models import StatementFigures, StatementRun
from grants.documents.rules import (
    Cell,
    Column,
    ColumnKind,
    Figures,
    Receipt,
    RunView,
    ScopeKind,
    from_mapping,
    with_totals,
)
from grants.dossiers import rules as dossiers
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import AsOf, Event
from grants.payments.models import PaymentOrder, PaymentRequest, Recovery
from grants.programmes.models import FundSource

RUNS_MAX = 100
MONEY, TEXT = ColumnKind.MONEY, ColumnKind.TEXT

# What the overview says of each grant, column by column: words and the accounts whose balances are added.
_OF_A_GRANT: tuple[tuple[str, tuple[Account, ...]], ...] = (
    ("Committed", (Account.LEGALLY_COMMITTED, Account.CONSUMED)),
    ("Accepted", (Account.GRANT_COSTS,)),
    ("Pre-financing granted, not yet cleared", (Account.PREFINANCING,)),
    ("Retained", (Account.RETENTION,)),
    ("Payable", (Account.PAYABLE,)),
    ("In transit", (Account.IN_TRANSIT,)),
    ("Paid", (Account.CONSUMED,)),
    ("Open", (Account.LEGALLY_COMMITTED,)),
)

PREFINANCING_NOTE = (
    "Pre-financing granted, not yet cleared is the pre-financing approved, less the accepted costs set off against it. "
    "What of it is not paid yet also stands under Payable or In transit, and what is kept back under Retained."
)


def call_scope(call_id: UUID) -> Scope:
    """Where a statement about a call lies."""
    return Scope.of(("call", call_id))


def call_overview(reference: str, as_of: datetime) -> Figures:
    """The call's financial overview as known at a moment: its budget, and every grant with what was done for it."""
    call = calls.call_by_id(_call_id(reference))
    moment = AsOf(recorded_before=as_of, effective_to=clock.in_zone(as_of).date())
    budget = ledger.of(call_id=call.id, as_of=moment)
    by_grant: dict[UUID | None, dict[Account, Money]] = {}
    for row in ledger.balances(by=("grant_id",), call_id=call.id, as_of=moment):
        by_grant.setdefault(row.dims.grant_id, {})[row.account] = row.amount
    grants = db.session.scalars(
        select(Grant).where(Grant.id.in_([each for each in by_grant if each])).order_by(Grant.reference)
    ).all()
    names = identity.organisations(grant.coordinator_id for grant in grants)
    rows: list[tuple[Cell, ...]] = [
        (
            grant.reference,
            grant.acronym or grant.title,
            names[grant.coordinator_id].name,
            names[grant.coordinator_id].country_code,
            *(total(by_grant[grant.id].get(account, ZERO) for account in accounts) for _, accounts in _OF_A_GRANT),
        )
        for grant in grants
    ]
    columns = (
        Column("Grant", share=3),
        Column("Pilot", share=3),
        Column("Coordinator", share=3),
        Column("Country", share=2),
        *(Column(label, MONEY) for label, _ in _OF_A_GRANT),
    )
    lines = tuple(
        (label, budget[account])
        for label, account in (
            ("Budget authorised", Account.BUDGET_AUTHORISED),
            ("Free", Account.AVAILABLE),
            ("Reserved by selection decisions", Account.RESERVED),
            ("Committed, agreement not yet signed", Account.COMMITTED),
            ("Open legal commitments", Account.LEGALLY_COMMITTED),
            ("Paid", Account.CONSUMED),
        )
    )
    assert lines[0][1] == total(amount for _, amount in lines[1:]), "the parts of the budget sum to the whole (I3)"
    by_country = _by_country(rows, len(columns) - len(_OF_A_GRANT))
    notes = [
        "Amounts in euros, from the ledger. Paid means booked by the bank, less what was paid back.",
        PREFINANCING_NOTE,
    ]
    if call.synthetic or any(grant.amount_note for grant in grants):
        notes.append("This statement holds synthetic amounts, as marked on the grants they belong to.")
    return Figures(
        name="call-financial-overview",
        title="Financial overview of the call",
        scope_kind=ScopeKind.CALL,
        scope_reference=call.reference,
        scope_title=call.title,
        programme=call.programme.name,
        as_of=as_of,
        summary=lines,
        tables=(
            with_totals("Grants", columns, rows),
            with_totals(
                "By country of the coordinator",
                (Column("Country"), Column("Grants", ColumnKind.NUMBER), *columns[-len(_OF_A_GRANT) :]),
                by_country,
            ),
        ),
        notes=tuple(notes),
    )


def _by_country(rows: Sequence[tuple[Cell, ...]], first_money: int) -> list[tuple[Cell, ...]]:
    countries = sorted({str(row[3]) for row in rows})
    found: list[tuple[Cell, ...]] = []
    for country in countries:
        own = [row for row in rows if row[3] == country]
        sums = [_sum(row[place] for row in own) for place in range(first_money, len(rows[0]))]
        found.append((country, len(own), *sums))
    return found


def _sum(cells: Iterable[Cell]) -> Money:
    return total(cell for cell in cells if isinstance(cell, Money))


def _call_id(reference: str) -> UUID:
    found = db.session.scalar(select(Call.id).where(Call.reference == reference))
    if found is None:
        raise NotFound(f"There is no call with the reference {reference}.")
    return found


def scope_id(kind: ScopeKind, reference: str) -> tuple[UUID, UUID, str]:
    """The id, the call and the title behind a reference; raises :class:`NotFound`."""
    match kind:
        case ScopeKind.CALL:
            call = get(Call, _call_id(reference))
            return call.id, call.id, call.title
        case ScopeKind.GRANT:
            grant = db.session.scalars(select(Grant).where(Grant.reference == reference)).one_or_none()
            if grant is None:
                raise NotFound(f"There is no grant with the reference {reference}.")
            return grant.id, grant.call_id, grant.acronym or grant.title


def scope_choices(actor: Actor) -> tuple[tuple[str, str], ...]:
    """Reference and title of the calls whose statements the person may ask for, newest first, at most 100."""
    statement = select(Call.reference, Call.title).order_by(Call.created_at.desc(), Call.reference).limit(RUNS_MAX)
    statement = statement.where(Call.id.not_in(_calls_of(actor.barred("grant"))), Call.id.not_in(actor.barred("call")))
    if not actor.everywhere(Permission.STATEMENT_REQUEST):
        statement = statement.where(Call.id.in_(actor.places(Permission.STATEMENT_REQUEST, "call")))
    return tuple((row.reference, row.title) for row in db.session.execute(statement))


def _visible(actor: Actor) -> ColumnElement[bool]:
    """Statements in the person's reach, without those that hold a pilot he or she is barred from."""
    grants, calls = actor.barred("grant"), actor.barred("call")
    of_call = StatementRun.scope_kind == ScopeKind.CALL.value
    told = and_(
        StatementRun.call_id.not_in(calls),
        StatementRun.scope_id.not_in(grants),
        not_(of_call & StatementRun.call_id.in_(_calls_of(grants))),
    )
    if actor.everywhere(Permission.STATEMENT_READ):
        return told
    found = actor.places(Permission.STATEMENT_READ, "call")
    return told & StatementRun.call_id.in_(found) if found else false()


def _calls_of(grant_ids: Collection[UUID]) -> Select[UUID]:
    return select(Grant.call_id).where(Grant.id.in_(grant_ids))


def holds_barred(actor: Actor, kind: ScopeKind, scope_id: UUID) -> bool:
    """Whether a statement about this would tell of a pilot the person is barred from."""
    grants = actor.barred("grant")
    match kind:
        case ScopeKind.GRANT:
            return scope_id in grants
        case ScopeKind.CALL:
            return bool(grants) and scope_id in set(db.session.scalars(_calls_of(grants)))


def runs(actor: Actor, titles: dict[str, str]) -> tuple[RunView, ...]:
    """The statements the person may read, newest first, at most 100."""
    rows = db.session.scalars(
        select(StatementRun)
        .where(_visible(actor))
        .order_by(StatementRun.created_at.desc(), StatementRun.id)
        .limit(RUNS_MAX)
    ).all()
    people = identity.people(row.requested_by for row in rows)
    return tuple(_view(row, people[row.requested_by].name, titles) for row in rows)


def run(actor: Actor, reference: str, titles: dict[str, str]) -> RunView:
    """One statement; raises :class:`NotFound`."""
    row = _row(actor, reference)
    return _view(row, identity.person(row.requested_by).name, titles)


def figures(actor: Actor, reference: str) -> Figures | None:
    """The kept figures of a statement, or None before it is built."""
    row = _row(actor, reference)
    return from_mapping(row.figures) if row.figures else None


def kept_figures(name: str, scope_id: UUID, as_of: datetime) -> Figures | None:
    """What was stated for this moment before, or None."""
    kept = db.session.scalar(
        select(StatementFigures.figures).where(
            StatementFigures.name == name, StatementFigures.scope_id == scope_id, StatementFigures.as_of == as_of
        )
    )
    return None if kept is None else from_mapping(kept)


def _row(actor: Actor, reference: str) -> StatementRun:
    found = db.session.scalars(
        select(StatementRun).where(StatementRun.reference == reference, _visible(actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _view(row: StatementRun, name: str, titles: dict[str, str]) -> RunView:
    return RunView(
        id=row.id,
        reference=row.reference,
        name=row.name,
        title=titles.get(row.name, row.name),
        scope_kind=ScopeKind(row.scope_kind),
        scope_reference=row.scope_reference,
        scope_title=row.scope_title,
        as_of=row.as_of,
        requested_by_name=name,
        requested_at=row.created_at,
        built_at=row.built_at,
        figures_sha256=row.figures_sha256,
        job_id=row.job_id,
    )


def agreement(grant_id: UUID) -> agreements.GrantView:
    """The grant whose agreement is to be written."""
    return agreements.view(get(Grant, grant_id))


def submission_row(submission_id: UUID) -> Submission:
    """The submission a receipt is for."""
    return get(Submission, submission_id)


def receipt(submission_id: UUID) -> Receipt:
    """Everything the receipt of a submission states, read from what was frozen and hashed."""
    row = submission_row(submission_id)
    application = applications.view_by_id(row.application_id)
    call = application.call
    sent = applications.content_of(row)
    costs = sent.budget.totals
    names = sent.organisation_names
    return Receipt(
        programme=call.programme.name,
        call=call.title,
        reference=sent.reference,
        title=sent.title,
        receipt_number=row.receipt_number,
        version=row.number,
        submitted_at=row.submitted_at,
        submitted_by=identity.person(row.submitted_by).name,
        closes_at=row.closes_at,
        zone=call.zone,
        coordinator=next(each.name for each in sent.consortium if each.role is PartnerRole.COORDINATOR),
        partners=tuple(each.name for each in sent.consortium if each.role is not PartnerRole.COORDINATOR),
        requested=str(row.requested),
        sha256=row.sha256.hex(),
        event_id=str(applications.registered(row.id).event_id),
        answers=tuple(
            (
                each.section.title,
                tuple((item.question.label, dossiers.shown(item.question, item.answer)) for item in each.items),
            )
            for each in dossiers.answered(sent.dossier)
        ),
        costs=with_totals(
            "Budget, EUR",
            (
                Column("Partner", share=3),
                *(Column(category.label, MONEY) for category in sent.budget.rules.categories),
                Column("Total", MONEY),
            ),
            [(names[line.organisation_id], *line.amounts, line.total) for line in costs.rows],
        ),
    )


# --- The journal and its balances, everything named ------------------------------------------------------------------

# References and names first, for people; keys for machines at the end of each row.
JOURNAL_COLUMNS = (
    *("entry", "event", "event_name", "effective_on", "recorded_at", "description", "leg"),
    *("account", "account_name", "ledger", "debit_eur", "credit_eur"),
    *("call", "call_title", "grant", "grant_name", "organisation", "country"),
    *("fund_source", "fund_source_name", "category", "period", "document", "reverses"),
    *("source_key", "debit_cents", "credit_cents"),
    *("call_id", "grant_id", "organisation_id", "fund_source_id", "document_id"),
)
BALANCE_COLUMNS = (
    *("account", "account_name", "ledger", "call", "call_title", "grant", "grant_name"),
    *("debit_eur", "credit_eur", "balance_eur"),
    *("debit_cents", "credit_cents", "balance_cents", "call_id", "grant_id"),
)
NO_NAME = ("", "")


@dataclass(frozen=True, slots=True)
class _Names:
    """Reference and name of everything a leg names, by id; a few statements however long the journal is."""

    calls: Mapping[UUID | None, tuple[str, str]]
    grants: Mapping[UUID | None, tuple[str, str]]
    organisations: Mapping[UUID | None, tuple[str, str]]
    fund_sources: Mapping[UUID | None, tuple[str, str]]
    documents: Mapping[UUID | None, str]


def _names() -> _Names:
    acronym = func.coalesce(Grant.acronym, Grant.title)
    documents = (Application, Grant, PaymentRequest, PaymentOrder, Recovery)
    return _Names(
        calls=_pairs(select(Call.id, Call.reference, Call.title)),
        grants=_pairs(select(Grant.id, Grant.reference, acronym)),
        organisations=_pairs(
            select(Organisation.id, Organisation.name, Organisation.country_code).where(
                Organisation.id.in_(ledger.dimension_ids()["organisation_id"])
            )
        ),
        fund_sources=_pairs(select(FundSource.id, FundSource.number, FundSource.acronym)),
        documents={
            each_id: reference
            for model in documents
            for each_id, reference in db.session.execute(select(model.id, model.reference))
        },
    )


def _pairs(statement: Select[UUID, str, str]) -> dict[UUID | None, tuple[str, str]]:
    return {each_id: (first, second) for each_id, first, second in db.session.execute(statement)}


def journal_rows(*, as_of: AsOf | None = None) -> Iterator[tuple[Any, ...]]:
    """Every leg of the journal as one row of ``JOURNAL_COLUMNS``, by entry number and leg, streamed.

    Whoever asks must hold the right to the whole journal: the command line does, no page does.
    """
    names = _names()
    for values in ledger.journal_rows(as_of=as_of):
        row = dict(zip(ledger.JOURNAL_COLUMNS, values, strict=True))
        account = Account(row["account"])
        yield (
            *(row["entry"], row["event"], Event(row["event"]).label, row["effective_on"], row["recorded_at"]),
            *(row["description"], row["leg"], account.value, account.label, account.ledger.value),
            *(Money(row["debit_cents"]), Money(row["credit_cents"])),
            *names.calls.get(row["call_id"], NO_NAME),
            *names.grants.get(row["grant_id"], NO_NAME),
            *names.organisations.get(row["organisation_id"], NO_NAME),
            *names.fund_sources.get(row["fund_source_id"], NO_NAME),
            *(row["category"], row["period"], names.documents.get(row["document_id"], ""), row["reverses"]),
            *(row["source_key"], row["debit_cents"], row["credit_cents"]),
            *(row["call_id"], row["grant_id"], row["organisation_id"], row["fund_source_id"], row["document_id"]),
        )


def balance_rows(*, as_of: AsOf | None = None) -> Iterator[tuple[Any, ...]]:
    """Every account by call and grant as one row of ``BALANCE_COLUMNS``, everything named."""
    names = _names()
    for row in ledger.balances(as_of=as_of):
        yield (
            *(row.account.value, row.account.label, row.account.ledger.value),
            *names.calls.get(row.dims.call_id, NO_NAME),
            *names.grants.get(row.dims.grant_id, NO_NAME),
            *(row.debits, row.credits, row.amount, row.debits.cents, row.credits.cents, row.amount.cents),
            *(row.dims.call_id, row.dims.grant_id),
        )
