"""Pages of the ledger, which has no views of its own."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from grants.core import acts, jobs
from grants.core.errors import Invalid
from grants.core.text import CSV_MARK, csv_line
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments import queries
from grants.payments.forms import (
    balances_ask,
    ledger_ask,
)
from grants.payments.views.frame import P, bp
from grants.web import paging
from grants.web.routing import current_actor, page, requires


@bp.get("/finance/ledger")
@requires(P.LEDGER_READ)
def ledger() -> Any:
    asked, problems = ledger_ask(request.args)
    found = queries.ledger(current_actor(), asked, paging.asked())
    return page(
        "payments/ledger.html",
        found=found,
        asked=asked,
        problems=problems,
        accounts=list(Account),
        events=list(Event),
        checked=jobs.last_run("jobs.checks.ledger"),
        typed={name: request.args.get(name, "") for name in ("from", "to", "q", "grant")},
    )


@bp.get("/finance/ledger.csv")
@requires(P.LEDGER_READ)
def ledger_csv() -> Any:
    """The same view as CSV, at most 5,000 entries, in UTF-8 with the mark that spreadsheets look for."""
    asked, problems = ledger_ask(request.args)
    if problems:
        raise Invalid(" ".join(problems.values()))
    lines = "".join(csv_line(cells) for cells in queries.ledger_lines(current_actor(), asked))
    answer = Response(CSV_MARK + lines, mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=ledger.csv"
    return answer


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
