"""The figures of every statement, all of them read from the ledger; and the runs that were asked for."""

from __future__ import annotations

from grants.documents.queries.exports import (
    BALANCE_COLUMNS,
    JOURNAL_COLUMNS,
    balance_rows,
    beancount_lines,
    journal_rows,
)
from grants.documents.queries.forecast import payment_forecast
from grants.documents.queries.grant_statement import grant_statement
from grants.documents.queries.overview import call_overview
from grants.documents.queries.receipts import (
    accession,
    agreement_is_synthetic,
    agreement_offer,
    agreement_version,
    reading_copy,
    receipt,
    submission_row,
    termination_letter,
)
from grants.documents.queries.register import register
from grants.documents.queries.runs import (
    FILE_KIND,
    entries_behind,
    figures,
    files_of_figures,
    keeping_away,
    kept,
    may_stop,
    run,
    runs,
    unfinished,
)
from grants.documents.queries.scopes import holds_barred, lies_in, lies_in_run, meant, scope_of, suggestions

__all__ = [
    "BALANCE_COLUMNS",
    "FILE_KIND",
    "JOURNAL_COLUMNS",
    "accession",
    "agreement_is_synthetic",
    "agreement_offer",
    "agreement_version",
    "balance_rows",
    "beancount_lines",
    "call_overview",
    "entries_behind",
    "figures",
    "files_of_figures",
    "grant_statement",
    "holds_barred",
    "journal_rows",
    "keeping_away",
    "kept",
    "lies_in",
    "lies_in_run",
    "may_stop",
    "meant",
    "payment_forecast",
    "reading_copy",
    "receipt",
    "register",
    "run",
    "runs",
    "scope_of",
    "submission_row",
    "suggestions",
    "termination_letter",
    "unfinished",
]
