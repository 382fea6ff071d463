"""The budget as a workbook: with a team's amounts, and a filled one read again, difference first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, request

from grants.applications import queries, services
from grants.applications.forms import FilledBudgetForm
from grants.applications.queries import Workplace
from grants.applications.rules import BudgetInput
from grants.applications.views.frame import bp, team_context
from grants.applications.views.offline import FILLED_BYTES_MAX
from grants.budgets import offline
from grants.budgets.forms import shown_of_pair
from grants.budgets.rules import Cell, Shown, cell_at, read_marks
from grants.calls.rules.saying import budget_notes
from grants.core import files
from grants.core.errors import Invalid
from grants.core.file_types import FileType
from grants.core.money import CENTS_MAX, Money, plain
from grants.core.permissions import Permission
from grants.web.downloads import hand_over
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other

# One page of changes; the rest shows itself when the same file is uploaded again.
CHANGES_SHOWN_MAX = 1_000
# As many lines as somebody puts right before looking again.
PROBLEMS_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One amount a file says otherwise; ``sent`` carries it and what stood when it was shown."""

    name: str
    where: str
    stands: str
    says: str
    sent: str
    is_emptied: bool


@bp.get("/applications/<ref>/budget.xlsx")
@requires(Permission.APPLICATION_READ)
def own_budget(ref: str) -> Response:
    """The same with the lines of this application and what stands in them."""
    place = queries.workplace(current_actor(), ref)
    budget, call = place.budget, place.application.call
    lines = offline.lines_of(budget.rules, _rows(place), budget.packages, budget.cells)
    made = offline.written(f"Budget, {place.application.title} ({ref})", budget_notes(call), budget.rules, lines)
    return hand_over(made, FileType.XLSX, f"{ref} budget.xlsx")


def _rows(place: Workplace) -> tuple[tuple[Any, str], ...]:
    return tuple((row.organisation_id, row.name) for row in place.budget.rows)


@bp.get("/applications/<ref>/budget/sheet")
@requires(Permission.APPLICATION_READ)
def sheet(ref: str) -> Any:
    """Download the budget, or upload a filled one."""
    return _sheet_page(queries.workplace(current_actor(), ref), FilledBudgetForm(formdata=None))


@bp.post("/applications/<ref>/budget/sheet")
@requires(Permission.APPLICATION_EDIT)
def read_sheet(ref: str) -> Any:
    """Read a filled workbook and show what it would change; nothing is changed yet."""
    form, place = FilledBudgetForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.refusals():
            filled = _read(form, place)
            return _sheet_page(place, FilledBudgetForm(formdata=None), filled, name=str(form.file.data.filename))
    return _sheet_page(place, form), 422


def _read(form: FilledBudgetForm, place: Workplace) -> offline.FilledBudget:
    upload = form.file.data
    try:
        # Looked into like every upload: bombs, macros and what reaches out are refused in words.
        incoming = files.receive(upload, allowed={FileType.XLSX}, bytes_max=FILLED_BYTES_MAX)
        upload.stream.seek(0)
        data, budget = upload.stream.read(incoming.size_bytes), place.budget
        return offline.read(data, budget.rules, _rows(place), budget.packages, read_marks(form.marks.data))
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error


@bp.post("/applications/<ref>/budget/sheet/accept")
@requires(Permission.APPLICATION_EDIT)
def accept_sheet(ref: str) -> Any:
    """Take over what was ticked; what somebody else changed meanwhile is left as it is and named with both amounts."""
    place, form = queries.workplace(current_actor(), ref), DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            cells, shown = _ticked(request.form.getlist("take"))
            kept = services.save_budget(current_actor(), place.application.id, BudgetInput(cells, shown))
            left = {cell.place: cell for cell in kept.contested}
            count = len(kept.cells) - len(left)
            flash(f"{count} {'amount is' if count == 1 else 'amounts are'} taken over.", "success")
            for cell in cells:
                if cell.place in left:
                    name = place.budget.cell_names.get(cell.place, "An amount")
                    flash(
                        f"{name}: somebody else stored EUR {plain(left[cell.place].amount)} meanwhile; "
                        f"EUR {plain(cell.amount)} of your file was not taken over.",
                        "warning",
                    )
            return see_other(".budget", ref=ref)
    return _sheet_page(place, FilledBudgetForm(formdata=None), problems=tuple(form.problems)), 422


def _ticked(sent: Sequence[str]) -> tuple[tuple[Cell, ...], tuple[Shown, ...]]:
    """Cells as the page of changes carries them: place, cents, and number and cents of what stood; raises Invalid."""
    cells, shown = [], []
    for text in sent[:CHANGES_SHOWN_MAX]:
        place, *numbers = text.split("|")
        odd = len(numbers) != 3 or not all(each.isascii() and each.isdecimal() and len(each) < 17 for each in numbers)
        cents = 0 if odd else int(numbers[0])
        cell = None if odd or cents > CENTS_MAX else cell_at(place, Money(cents))
        if cell is None:
            raise Invalid("The page sent an amount this budget cannot have. Upload the file again.")
        cells.append(cell)
        shown.append(shown_of_pair([int(numbers[1]), int(numbers[2])]))
    return tuple(cells), tuple(shown)


def _changes(place: Workplace, filled: offline.FilledBudget) -> tuple[list[Change], int]:
    """What the file says otherwise in rows this person writes, and how many amounts lie in others' rows."""
    own, stood = queries.own_rows(current_actor(), place.application), place.budget.shown_cells
    changes, others = [], 0
    for each in filled.cells:
        number, cents = stood.get(each.cell.place, (0, 0))
        if each.cell.amount.cents == cents:
            continue
        if each.cell.organisation_id not in own:
            others += 1
            continue
        changes.append(
            Change(
                name=place.budget.cell_names.get(each.cell.place, each.cell.place),
                where=each.where,
                stands=plain(Money(cents)) if number else "",
                says=plain(each.cell.amount),
                sent=f"{each.cell.place}|{each.cell.amount.cents}|{number}|{cents}",
                is_emptied=not each.cell.amount,
            )
        )
    return changes, others


def _sheet_page(
    place: Workplace,
    form: FilledBudgetForm,
    filled: offline.FilledBudget | None = None,
    *,
    name: str = "",
    problems: tuple[str, ...] = (),
) -> str:
    changes, others = _changes(place, filled) if filled else ([], 0)
    wrong = filled.problems if filled else ()
    said = [*problems, *wrong[:PROBLEMS_SHOWN_MAX]]
    if len(wrong) > PROBLEMS_SHOWN_MAX:
        said.append(
            f"{len(wrong) - PROBLEMS_SHOWN_MAX} more were not read. Put these right, then upload the file again."
        )
    if others:
        said.append(f"{others} changed amounts lie in rows of other organisations; only they or the lead change those.")
    if len(changes) > CHANGES_SHOWN_MAX:
        said.append(
            f"{len(changes)} amounts change; the first {CHANGES_SHOWN_MAX} are shown. Upload the file again for the rest."
        )
    return page(
        "applications/budget_sheet.html",
        form=form,
        read=filled is not None,
        name=name,
        changes=changes[:CHANGES_SHOWN_MAX],
        said=said,
        own=queries.own_rows(current_actor(), place.application),
        **team_context(place),
    )
