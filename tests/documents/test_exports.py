"""The journal and its balances as exported: everything named, and to the cent what the ledger holds."""

from __future__ import annotations

from collections import Counter

import pytest

from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import NotAllowed
from grants.documents import queries, services
from grants.ledger import queries as ledger
from tests import actors

pytestmark = pytest.mark.usefixtures("demo_app")


def test_every_leg_is_named_by_references_and_names_and_sums_to_the_ledger() -> None:
    rows = [dict(zip(queries.JOURNAL_COLUMNS, row, strict=True)) for row in queries.journal_rows()]
    plain = [dict(zip(ledger.JOURNAL_COLUMNS, row, strict=True)) for row in ledger.journal_rows()]

    assert len(rows) == len(plain) and rows
    for row, own in zip(rows, plain, strict=True):
        assert (row["entry"], row["leg"], row["debit_cents"], row["credit_cents"]) == (
            own["entry"], own["leg"], own["debit_cents"], own["credit_cents"],
        )  # fmt: skip
        assert (row["debit_eur"].cents, row["credit_eur"].cents) == (own["debit_cents"], own["credit_cents"])
        for name, key in (("call", "call_id"), ("grant", "grant_id"), ("organisation", "organisation_id")):
            assert bool(row[name]) == (own[key] is not None), (row["entry"], name)
        assert row["account_name"] and row["event_name"]
    assert {row["grant_name"] for row in rows if row["grant"]} >= {"CoLAB"}
    assert {row["fund_source"] for row in rows if row["fund_source_id"]} >= {"101036519"}


def test_the_document_of_every_payment_is_named() -> None:
    rows = [dict(zip(queries.JOURNAL_COLUMNS, row, strict=True)) for row in queries.journal_rows()]
    paid = [row for row in rows if row["event"] in ("E6", "E7", "E8", "E10", "E11", "E12")]

    assert paid
    assert [row["entry"] for row in paid if not row["document"]] == []


def test_balances_by_call_and_grant_are_those_of_the_ledger() -> None:
    rows = [dict(zip(queries.BALANCE_COLUMNS, row, strict=True)) for row in queries.balance_rows()]

    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["account"]] += row["balance_eur"].cents
    assert dict(sums) == {row.account.value: row.amount.cents for row in ledger.trial_balance()}
    of_calls = [(row["call"], row["call_title"]) for row in rows if row["call_id"]]
    assert of_calls and all(map(all, of_calls))


def test_whoever_takes_books_or_record_out_is_on_the_record_and_reads_them_whole() -> None:
    services.export_books(actors.nuria(), "journal")
    services.export_audit(actors.nuria())

    verbs = ("audit.export", "ledger.export")
    found = db.session.query(AuditEvent).filter(AuditEvent.verb.in_(verbs)).order_by(AuditEvent.verb).all()
    assert [(each.verb, each.reason, each.user_id) for each in found] == [
        ("audit.export", "The sealed audit, by command", actors.nuria().user_id),
        ("ledger.export", "The journal, by command", actors.nuria().user_id),
    ]
    with pytest.raises(NotAllowed):
        services.export_books(actors.pia(), "journal")
    with pytest.raises(NotAllowed):
        services.export_audit(actors.fin())
