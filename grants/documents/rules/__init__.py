"""What generated statements and receipts consist of; the modules beside this one say how. Pure."""

from __future__ import annotations

from grants.core.clock import read_moment
from grants.documents.rules.agreeing import Check, agreeing
from grants.documents.rules.asking import (
    Produced,
    Progress,
    RunFile,
    RunFilter,
    RunState,
    RunSummary,
    RunView,
    ScopeFound,
    Wanted,
    took_words,
)
from grants.documents.rules.figures import (
    NO,
    SYNTHETIC,
    YES,
    Cell,
    Column,
    ColumnKind,
    Figures,
    Format,
    Period,
    ScopeKind,
    Table,
    Thing,
    from_mapping,
    in_table,
    to_mapping,
    unmarked,
    with_totals,
    words,
)
from grants.documents.rules.receipts import AccessionSheet, AgreementSheet, Receipt
from grants.documents.rules.terminating import TerminationLetter

__all__ = [
    "NO",
    "SYNTHETIC",
    "YES",
    "AccessionSheet",
    "AgreementSheet",
    "Cell",
    "Check",
    "Column",
    "ColumnKind",
    "Figures",
    "Format",
    "Period",
    "Produced",
    "Progress",
    "Receipt",
    "RunFile",
    "RunFilter",
    "RunState",
    "RunSummary",
    "RunView",
    "ScopeFound",
    "ScopeKind",
    "Table",
    "TerminationLetter",
    "Thing",
    "Wanted",
    "agreeing",
    "from_mapping",
    "in_table",
    "read_moment",
    "to_mapping",
    "took_words",
    "unmarked",
    "with_totals",
    "words",
]
