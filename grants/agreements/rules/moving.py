"""What moves of budget and a lower maximum make of the budget behind an agreement. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

from grants.agreements.rules.amendable import Move
from grants.agreements.rules.revising import asked_for
from grants.budgets.rules import BudgetContent, Cell, unit_problem
from grants.core.money import ZERO, Money, Rounding


def moved(content: BudgetContent, moves: Iterable[Move]) -> BudgetContent:
    """The budget after its moves; what a giver has too little of is not taken (``change_problems`` says so).

    Where amounts stand by work package or period, a move takes from the last line backwards, and gives in the same one.
    """
    cells, known = {key_of(cell): cell.amount for cell in content.cells}, {each.code for each in content.rules.entered}
    for move in moves:
        if not {move.giver_category or move.taker_category, move.taker_category or move.giver_category} <= known:
            continue
        for work_package, period, amount in _pieces(content, cells, move):
            if move.giver is not None:
                cells[move.giver, move.giver_category, work_package, period] -= amount
            if move.taker is not None:
                place = (move.taker, move.taker_category, work_package, period)
                cells[place] = cells.get(place, ZERO) + amount
    return replace(content, cells=cells_of(cells))


def units_problem(content: BudgetContent, move: Move, has: Money) -> str:
    """Why a move would leave a part of a unit in a category paid by units; empty where it does not. ``has`` is all that is there."""
    sides = [move.giver_category] if move.giver is not None and move.amount != has else []
    sides += [move.taker_category] if move.taker is not None else []
    found = (unit_problem(content.rules, category, move.amount) for category in sides)
    return next((f"{words}." for words in found if words), "")


def _pieces(
    content: BudgetContent, cells: Mapping[tuple[UUID, str, str, int], Money], move: Move
) -> list[tuple[str, int, Money]]:
    wanted, found = move.amount, []
    if move.giver is None:
        # Beside the other amounts of who gets it; outside all work packages where there are none.
        own = [key[2:] for key in cells if key[0] == move.taker] or [("", content.rules.periods[0])]
        work_package, period = max(own)
        return [(work_package, period, wanted)]
    lines = sorted(
        (key for key in cells if key[:2] == (move.giver, move.giver_category)),
        key=lambda key: (key[3], key[2]),
        reverse=True,
    )
    for key in lines:
        part = min(wanted, cells[key])
        if part:
            found.append((key[2], key[3], part))
            wanted -= part
    return found


def shrunk(content: BudgetContent, organisation_id: UUID, maximum: Money) -> BudgetContent:
    """The budget with one partner's amounts lowered, all alike, until it asks for no more than its maximum."""
    asked = asked_for(content).get(organisation_id, ZERO)
    if asked <= maximum:
        return content
    ratio = Fraction(maximum.cents, asked.cents)
    while ratio > 0:
        cells = {
            key_of(cell): cell.amount.share(ratio, rounding=Rounding.DOWN)
            if cell.organisation_id == organisation_id
            else cell.amount
            for cell in content.cells
        }
        now = replace(content, cells=cells_of(cells))
        if asked_for(now).get(organisation_id, ZERO) <= maximum:
            return now
        # A flat rate that is rounded up asks for a cent too much: one step less.
        ratio -= Fraction(1, asked.cents)
    return replace(content, cells=tuple(each for each in content.cells if each.organisation_id != organisation_id))


def key_of(cell: Cell) -> tuple[UUID, str, str, int]:
    return (cell.organisation_id, cell.category, cell.work_package, cell.period)


def cells_of(amounts: Mapping[tuple[UUID, str, str, int], Money]) -> tuple[Cell, ...]:
    return tuple(
        Cell(who, category, amount, work_package=work_package, period=period)
        for (who, category, work_package, period), amount in amounts.items()
    )
