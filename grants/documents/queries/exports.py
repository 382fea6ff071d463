"""The journal and its balances as files hold them, everything named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from grants.agreements.models import Grant
from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.db import db
from grants.core.money import Money
from grants.documents.rules import beancount
from grants.identity.models import Organisation
from grants.ledger import queries as ledger
from grants.ledger import rules as ledger_rules
from grants.ledger.accounts import Account
from grants.ledger.rules import AsOf, Event
from grants.payments.models import OwnAccount, PaymentOrder, PaymentRequest, Recovery
from grants.programmes.models import FundSource

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
    own_accounts: Mapping[UUID | None, str]


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
        own_accounts={
            each_id: reference for each_id, reference in db.session.execute(select(OwnAccount.id, OwnAccount.reference))
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


def beancount_lines(*, as_of: AsOf | None = None) -> Iterator[str]:
    """The journal as Beancount text, line by line, everything named, streamed. ``bean-check`` reads it without tolerance."""
    names = _names()
    rows = (dict(zip(ledger.JOURNAL_COLUMNS, values, strict=True)) for values in ledger.journal_rows(as_of=as_of))
    entries = (_transaction(names, list(legs)) for _, legs in groupby(rows, key=lambda row: row["entry"]))
    yield from beancount.lines(entries, ("Amounts in euros; debits are above zero, credits below.",))


def _transaction(names: _Names, legs: list[dict[str, Any]]) -> beancount.Transaction:
    head = legs[0]
    return beancount.Transaction(
        on=head["effective_on"],
        title=f"{head['event']} {Event(head['event']).label}",
        words=head["description"],
        about=(
            ("entry", head["entry"]),
            ("event", head["event"]),
            ("recorded_at", head["recorded_at"].isoformat()),
            ("source_key", head["source_key"]),
            ("reverses", head["reverses"] or ""),
        ),
        legs=tuple(_posted(names, leg) for leg in legs),
    )


def _posted(names: _Names, leg: dict[str, Any]) -> beancount.Posted:
    """A leg under its grant, else its call, else the programme; every dimension that is set, by its name or reference."""
    told = {
        "call_id": names.calls.get(leg["call_id"], NO_NAME)[0],
        "grant_id": names.grants.get(leg["grant_id"], NO_NAME)[0],
        "organisation_id": names.organisations.get(leg["organisation_id"], NO_NAME)[0],
        "fund_source_id": names.fund_sources.get(leg["fund_source_id"], NO_NAME)[0],
        "document_id": names.documents.get(leg["document_id"], ""),
        "own_account_id": names.own_accounts.get(leg["own_account_id"], ""),
    }
    about = []
    for name in ledger_rules.DIMENSIONS:
        if leg[name] is not None:
            about.append((name.removesuffix("_id"), told.get(name) or str(leg[name])))
    # Two organisations may have one name.
    if leg["organisation_id"] is not None:
        about.append(("organisation_id", str(leg["organisation_id"])))
    kept_under = (told[name] or str(leg[name]) for name in ("grant_id", "call_id") if leg[name] is not None)
    return beancount.Posted(
        Account(leg["account"]),
        next(kept_under, "Programme"),
        leg["debit_cents"] - leg["credit_cents"],
        tuple(about),
    )
