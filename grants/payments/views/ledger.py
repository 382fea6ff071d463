"""Pages of the ledger, which has no views of its own."""

from __future__ import annotations

from typing import Any

from flask import request

from grants.core import acts, jobs
from grants.core.errors import Invalid
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments import queries
from grants.payments.forms import (
    balances_ask,
    ledger_ask,
)
from grants.payments.views.frame import P, bp
from grants.web import downloads, paging
from grants.web.routing import current_actor, page, requires

# Filters that stand under the others, shut until one of them is asked for.
_FURTHER = ("fund", "call", "partner", "category", "period", "document", "known", "event")
_TYPED = ("from", "to", "q", "grant", "fund", "call", "partner", "category", "period", "document", "known")


@bp.get("/finance/ledger")
@requires(P.LEDGER_READ)
def ledger() -> Any:
    asked, problems = ledger_ask(request.args)
    found = queries.ledger(current_actor(), asked, paging.asked())
    return page(
        "payments/ledger.html",
        found=found,
        asked=asked,
        problems=problems | found.unknown,
        accounts=list(Account),
        events=list(Event),
        checked=jobs.last_run("jobs.checks.ledger"),
        typed={name: request.args.get(name, "") for name in _TYPED},
        further_asked=any(request.args.get(name) for name in _FURTHER),
    )


@bp.get("/finance/ledger.<any(csv, xlsx):kind>")
@requires(P.LEDGER_READ)
def ledger_file(kind: str) -> Any:
    """The same entries as a file, at most 5,000."""
    asked, problems = ledger_ask(request.args)
    if problems:
        raise Invalid(" ".join(problems.values()))
    rows = queries.ledger_lines(current_actor(), asked)
    return downloads.list_file("ledger", queries.LEDGER_COLUMNS, rows, kind)


@bp.get("/finance/entries/<ref>")
@requires(P.LEDGER_READ)
def entry(ref: str) -> Any:
    found = queries.ledger_entry(current_actor(), ref)
    return page("payments/entry.html", found=found, words=acts.words)


@bp.get("/finance/balances")
@requires(P.LEDGER_READ)
def balances() -> Any:
    asked, problems = balances_ask(request.args)
    found = None if problems else queries.stood(current_actor(), asked)
    typed = {name: request.args.get(name, "") for name in ("on", "known", "grant")}
    return page("payments/balances.html", found=found, asked=asked, problems=problems, typed=typed)
