"""Every statement there is by name: what it is called, what it is about, and where its figures come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grants.core.errors import Invalid, NotFound, no_such
from grants.documents import queries
from grants.documents.pdf import statement
from grants.documents.rules import Check, Figures, Format, Period, Produced, ScopeKind, agreeing
from grants.documents.sheets.lines import main_csv
from grants.documents.sheets.pivots import by_month_and_kind
from grants.documents.sheets.workbook import xlsx


@dataclass(frozen=True, slots=True)
class Statement:
    """One kind of statement; ``has_period`` where it tells of days from and before, the others of everything so far."""

    name: str
    title: str
    about: str
    scope_kinds: tuple[ScopeKind, ...]
    figures: Callable[[str, datetime, Period], Figures]
    has_period: bool = False

    def period(self, asked: Period) -> Period:
        """The period as it counts for this statement; raises :class:`Invalid` where it has none."""
        if asked and not self.has_period:
            raise Invalid(
                f"“{self.title}” shows everything up to its moment and takes no period.",
                {"from_on": "Leave the period empty, or choose the disbursement register."},
            )
        return asked


def call_overview(reference: str, as_of: datetime, period: Period) -> Figures:
    """The financial overview of a call."""
    return queries.call_overview(reference, as_of)


def grant_statement(reference: str, as_of: datetime, period: Period) -> Figures:
    """The statement of a grant."""
    return queries.grant_statement(reference, as_of)


def payment_forecast(reference: str, as_of: datetime, period: Period) -> Figures:
    """The forecast of payments, as it was kept last."""
    return queries.payment_forecast(reference, as_of)


def register(reference: str, as_of: datetime, period: Period) -> Figures:
    """The disbursement register with its totals by month and kind; raises :class:`Refused` where a sum does not agree."""
    figures, checks = queries.register(reference, as_of, period)
    pivot = by_month_and_kind(figures.tables[0])
    control = figures.amounts["summary", "Control total: net of what came back", 0]
    found = []
    for table in (*figures.tables[1:], pivot):
        assert table.totals is not None, "every table of the register is summed"
        net = table.totals[-1]
        found.append(Check("Control total", control, f"the table “{table.title}”", net))  # type: ignore[arg-type]  # its last column is an amount
    return replace(figures, tables=(*figures.tables, pivot, agreeing([*checks, *found])))


CATALOGUE: Mapping[str, Statement] = {
    found.name: found
    for found in (
        Statement(
            "call-financial-overview",
            "Financial overview of the call",
            "The call’s budget and every grant: committed, accepted, paid and open.",
            (ScopeKind.CALL,),
            call_overview,
        ),
        Statement(
            "grant-statement",
            "Statement of the grant",
            "One grant: partners, requests, orders and every entry of the ledger behind its figures.",
            (ScopeKind.GRANT,),
            grant_statement,
        ),
        Statement(
            "disbursement-register",
            "Disbursement register",
            "Every movement of the bank account in a period, with totals by call, kind and month.",
            (ScopeKind.CALL, ScopeKind.PROGRAMME),
            register,
            has_period=True,
        ),
        Statement(
            "payment-forecast",
            "Forecast of payments",
            "The forecast that was kept last: paid, due, expected, reserved and free, grant by grant and month by month.",
            (ScopeKind.CALL, ScopeKind.PROGRAMME),
            payment_forecast,
        ),
    )
}

TITLES = {name: found.title for name, found in CATALOGUE.items()}


def named(name: str) -> Statement:
    """The statement of that name; raises :class:`NotFound` with the names there are."""
    if name not in CATALOGUE:
        raise NotFound(no_such("statement called", name, sorted(CATALOGUE)))
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
