"""Every statement there is by name: what it is called, what it is about, and where its figures come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from grants.core.errors import NotFound
from grants.documents import queries
from grants.documents.pdf import statement
from grants.documents.rules import Figures, Format, Produced, ScopeKind
from grants.documents.sheets import main_csv, xlsx


@dataclass(frozen=True, slots=True)
class Statement:
    """One kind of statement."""

    name: str
    title: str
    about: str
    scope_kind: ScopeKind
    figures: Callable[[str, datetime], Figures]


CATALOGUE: Mapping[str, Statement] = {
    found.name: found
    for found in (
        Statement(
            "call-financial-overview",
            "Financial overview of the call",
            "The call's budget and every grant: committed, accepted, paid and open.",
            ScopeKind.CALL,
            queries.call_overview,
        ),
    )
}

TITLES = {name: found.title for name, found in CATALOGUE.items()}


def named(name: str) -> Statement:
    """The statement of that name; raises :class:`NotFound` with the names there are."""
    if name not in CATALOGUE:
        raise NotFound(f"There is no statement called “{name}”. There are: {', '.join(sorted(CATALOGUE))}.")
    return CATALOGUE[name]


def rendered(figures: Figures, form: Format) -> Produced:
    """One file of a statement."""
    match form:
        case Format.PDF:
            data = statement.pdf(figures)
        case Format.XLSX:
            data = xlsx(figures)
        case Format.CSV:
            data = main_csv(figures)
    return Produced(f"{figures.file_stem}.{form.value}", form.media_type, data)
