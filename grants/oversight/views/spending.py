"""Pages of what was granted held against what was declared, accepted and paid, and the same lists as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView
from grants.calls import queries as calls
from grants.core import clock
from grants.core.errors import Invalid
from grants.core.permissions import Permission
from grants.oversight import queries, rules
from grants.oversight.rules import By, GrantMoney
from grants.oversight.rules.spending import SpendingLine, Spent
from grants.oversight.views.pages import bp
from grants.web import downloads, paging
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires

SPENT_COLUMNS = ("what", "granted_eur", "declared_eur", "accepted_eur", "paid_eur", "left_eur")
CALL_COLUMNS = ("grant", *SPENT_COLUMNS, "time_gone")
LINES_COLUMNS = ("report", "partner", "category", "worked_out", "declared_eur", "accepted_eur", "why_less")


@bp.get("/grants/<ref>/budget")
@requires(Permission.AGREEMENT_READ)
def grant_spending(ref: str) -> Any:
    """What was granted held against what was declared, accepted and paid, by partner, category or period."""
    problems = list[str]()
    grant, by = agreements.grant(current_actor(), ref), _division(problems)
    money = queries.grant_money(grant)
    return page(
        "oversight/grant_spending.html",
        grant=grant,
        by=by,
        ways=tuple(By),
        spending=money.divided(by, grant.starts_on),
        has_budget=money.budget is not None,
        time_gone=rules.time_gone(grant.starts_on, grant.ended_on or grant.ends_before, clock.today()),
        problems=problems,
    )


@bp.get("/grants/<ref>/budget.<any(csv, xlsx):kind>")
@requires(Permission.AGREEMENT_READ)
def grant_spending_file(ref: str, kind: str) -> Any:
    """The same rows as a file, and their sum as its last line."""
    problems = list[str]()
    grant, by = agreements.grant(current_actor(), ref), _division(problems)
    _refuse(problems)
    spending = queries.grant_money(grant).divided(by, grant.starts_on)
    rows = map(_cells, (*spending.rows, spending.whole))
    return downloads.list_file(f"spending {grant.reference} by {by.value}", SPENT_COLUMNS, rows, kind)


def _division(problems: list[str]) -> By:
    ways = {each.value: each for each in By}
    words = {each.value: each.words.lower() for each in By}
    return chosen("by", "division", ways, problems, otherwise=By.PARTNER, words=words) or By.PARTNER


def _refuse(problems: list[str]) -> None:
    if problems:
        raise Invalid(" ".join(problems))


def _cells(row: Spent) -> tuple[object, ...]:
    return (row.label, row.granted, row.declared, row.accepted, row.paid, row.left)


@bp.get("/grants/<ref>/budget/lines")
@requires(Permission.AGREEMENT_READ)
def spending_lines(ref: str) -> Any:
    """The amounts of reports behind a figure."""
    problems: list[str] = []
    found, asked = _lines(ref, problems), paging.asked()
    start = asked.number or 0
    told = list(enumerate(found.lines, 1))[start : start + asked.limit]
    rows = paging.cut(told, asked, key=lambda pair: str(pair[0]))
    return page("oversight/spending_lines.html", grant=found.grant, money=found.money, rows=rows, problems=problems)


@bp.get("/grants/<ref>/budget/lines.<any(csv, xlsx):kind>")
@requires(Permission.AGREEMENT_READ)
def spending_lines_file(ref: str, kind: str) -> Any:
    """The same amounts as a file, at most as many as one file holds."""
    problems: list[str] = []
    found = _lines(ref, problems)
    _refuse(problems)
    rows = downloads.bounded(_line_cells(found), LINES_COLUMNS)
    return downloads.list_file(f"costs {found.grant.reference}", LINES_COLUMNS, rows, kind)


@dataclass(frozen=True, slots=True)
class _Lines:
    grant: GrantView
    money: GrantMoney
    lines: tuple[SpendingLine, ...]


def _lines(ref: str, problems: list[str]) -> _Lines:
    grant = agreements.grant(current_actor(), ref)
    money = queries.grant_money(grant)
    partners = {str(who): who for who in money.names}
    names = {str(who): name for who, name in money.names.items()}
    found = rules.lines(
        money.reports,
        organisation_id=chosen("partner", "partner", partners, problems, words=names),
        category=chosen("category", "category", {code: code for code in money.labels}, problems, words=money.labels),
        number=chosen("report", "report", {str(each.number): each.number for each in money.reports}, problems),
    )
    return _Lines(grant, money, found)


def _line_cells(found: _Lines) -> Iterator[tuple[object, ...]]:
    for line in found.lines:
        yield (
            *(line.report.number, found.money.names.get(line.organisation_id, ""), line.label),
            *("yes" if line.is_worked_out else "no", line.declared, line.accepted, line.reason),
        )


@bp.get("/calls/<slug>/spending")
@requires(Permission.AGREEMENT_READ)
def call_spending(slug: str) -> Any:
    """Every signed grant of a call: granted, declared, accepted, paid, and its money beside its time."""
    actor = current_actor()
    call = calls.call(actor, slug)
    found = queries.call_spending(actor, call.id, clock.today())
    rows = paging.paged(found, paging.asked(), key=lambda each: each.reference)
    return page("oversight/call_spending.html", call=call, rows=rows, whole=rules.summed(found))


@bp.get("/calls/<slug>/spending.<any(csv, xlsx):kind>")
@requires(Permission.AGREEMENT_READ)
def call_spending_file(slug: str, kind: str) -> Any:
    """The same grants as a file."""
    actor = current_actor()
    call = calls.call(actor, slug)
    found = queries.call_spending(actor, call.id, clock.today())
    cells = ((each.reference, *_cells(each.spent), each.time_gone) for each in found)
    rows = downloads.bounded(cells, CALL_COLUMNS)
    return downloads.list_file(f"spending {call.reference}", CALL_COLUMNS, rows, kind)
