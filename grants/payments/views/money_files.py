"""What is due, forecast, held, known of parent grants and of accounts, as files, each narrowed as its page is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import request

from grants.core import clock
from grants.core.errors import Invalid
from grants.core.paging import Page
from grants.payments import queries
from grants.payments.forms import ageing_ask, balances_ask, forecast_ask
from grants.payments.rules.forecasting import MonthRow
from grants.payments.views.frame import P, bp
from grants.web import downloads
from grants.web.downloads import LIST_ROWS_MAX
from grants.web.routing import current_actor, requires

Cells = tuple[object, ...]

AGEING_COLUMNS = ("reference", "what", "grant", "grant_name", "due", "age", "note", "amount_eur")
BALANCES_COLUMNS = ("account", "name", "balance_eur", "known_now_eur", "recorded_later_eur")
FUND_COLUMNS = (
    *("grant", "grant_name", "call", "maximum_eur", "paid_eur", "cleared_eur", "advanced_eur", "open_eur"),
    "outlasts_parent_grant",
)
HELD_COLUMNS = ("grant", "grant_name", "coordinator", "partner", "since", "due", "waits_for_answer_eur", "held_eur")


@bp.get("/finance/ageing.<any(csv, xlsx):kind>")
@requires(P.LEDGER_READ)
def ageing_file(kind: str) -> Any:
    """Everything due, oldest first."""
    asked, problems = ageing_ask(request.args)
    found = queries.ageing(current_actor(), asked, clock.now())
    _refuse([*problems.values(), *(["There is no such call here."] if found.unknown_call else [])])
    lines = (
        (
            *(each.reference, each.what, each.grant_reference, each.name, each.due_on),
            *(each.bucket.words, each.note or None, each.amount),
        )
        for each in found.ageing.in_step(asked.step)
    )
    return _file(f"ageing {asked.what.value}", AGEING_COLUMNS, lines, kind)


@bp.get("/finance/forecast.<any(csv, xlsx):kind>")
@requires(P.LEDGER_READ)
def forecast_file(kind: str) -> Any:
    """What each grant expects, a column for each month."""
    asked, problems = forecast_ask(request.args)
    found = queries.forecast_page(current_actor(), asked, clock.now())
    _refuse([*problems.values(), *found.unknown])
    told = found.forecast
    columns = ("grant", "grant_name", "is_signed", "together_eur", *(f"{each} EUR" for each in told.columns))
    lines = (_month(row) for row in (*told.rows(told.signed), *told.rows(told.unsigned)))
    return _file("forecast", columns, lines, kind)


def _month(row: MonthRow) -> Cells:
    grant = row.grant
    return (grant.reference, grant.name, "yes" if grant.is_signed else "no", row.sum, *row.cells)


@bp.get("/parent-grants/<number>/money.<any(csv, xlsx):kind>")
@requires(P.LEDGER_READ)
def fund_file(number: str, kind: str) -> Any:
    """The grants paid from a parent grant."""
    found = queries.fund_money(current_actor(), number, Page(size=LIST_ROWS_MAX))
    lines = (
        (
            *(each.reference, each.name, each.call, each.maximum, each.paid, each.cleared, each.advanced, each.open),
            each.beyond.words if each.beyond else None,
        )
        for each in found.grants.items
    )
    return _file(f"parent grant {number}", FUND_COLUMNS, lines, kind, more=found.grants.next_key is not None)


@bp.get("/finance/balances.<any(csv, xlsx):kind>")
@requires(P.LEDGER_READ)
def balances_file(kind: str) -> Any:
    """Every account as of a day, as it was known then and is known now."""
    asked, problems = balances_ask(request.args)
    _refuse([*problems.values()])
    found = queries.stood(current_actor(), asked)
    _refuse(["There is no such grant here."] if found.unknown_grant else [])
    lines = ((each.account.value, each.account.label, each.then, each.now, each.corrected) for each in found.lines)
    return _file("balances", BALANCES_COLUMNS, lines, kind)


@bp.get("/finance/held.<any(csv, xlsx):kind>")
@requires(P.PAYMENT_ORDER_READ)
def held_file(kind: str) -> Any:
    """What coordinators hold for partners, what is overdue first."""
    overdue = request.args.get("show") == "overdue"
    lines = (
        (
            *(each.reference, each.acronym, each.coordinator, each.balance.name, each.balance.since),
            *(each.balance.due_on, each.balance.waiting, each.balance.held),
        )
        for each in queries.held_for_partners(current_actor(), overdue=overdue, today=clock.today())
    )
    return _file("held for partners", HELD_COLUMNS, lines, kind)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise Invalid(" ".join(problems))


def _file(name: str, columns: tuple[str, ...], lines: Iterable[Cells], kind: str, *, more: bool = False) -> Any:
    return downloads.list_file(name, columns, downloads.bounded(_with_end(lines, columns, more=more), columns), kind)


def _with_end(lines: Iterable[Cells], columns: tuple[str, ...], *, more: bool) -> Iterator[Cells]:
    """The lines, and one of nothing where the query knows of more than one file holds: the place of the sentence on that."""
    yield from lines
    if more:
        yield (None,) * len(columns)
