"""Plain helpers by which an owner's act writes a budget; no acts here, so the owner decides who may and when."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Numeric, Select, Text, Uuid, and_, any_, bindparam, cast, func, select
from sqlalchemy.orm import aliased

from grants.budgets import queries, rules
from grants.budgets.models import (
    Budget,
    BudgetLine,
    BudgetNote,
    BudgetOrganisation,
    BudgetPackage,
    BudgetPlanItem,
    BudgetSource,
)
from grants.budgets.rules import (
    BudgetChanged,
    BudgetContent,
    BudgetRules,
    Cell,
    CellKept,
    Note,
    Outcome,
    PlanItem,
    PlannedPackage,
    Purpose,
    Shown,
    Source,
)
from grants.core import acts, encoding
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.money import CENTS_MAX, ZERO, Money, total


def create(
    owner_kind: str, owner_id: UUID, purpose: Purpose, budget_rules: BudgetRules, organisations: Sequence[UUID]
) -> UUID:
    """An empty budget with these rows; it keeps the rules, so that a later corrigendum never changes its sums."""
    budget = _begin(owner_kind, owner_id, purpose, budget_rules, organisations)
    # The work packages a call pays as lump sums are there from the start.
    for position, lump in enumerate(budget_rules.lump_sums):
        db.session.add(BudgetPackage(budget_id=budget.id, code=lump.work_package, title=lump.title, position=position))
    return budget.id


def copy(owner_kind: str, owner_id: UUID, purpose: Purpose, content: BudgetContent) -> UUID:
    """A budget of another owner that says the same to the cent; nobody is named as the writer of what was only copied."""
    budget_id = _begin(owner_kind, owner_id, purpose, content.rules, content.organisations).id
    named = [PlannedPackage(each.code, each.title) for each in content.packages]
    for position, package in enumerate(content.plan or named):
        row = BudgetPackage(budget_id=budget_id, code=package.code)
        _fill_package(row, position, package)
        db.session.add(row)
        for place, item in enumerate(package.items):
            db.session.add(_filled_item(BudgetPlanItem(package_id=row.id), place, item))
    for cell in content.cells:
        db.session.add(
            BudgetLine(
                budget_id=budget_id,
                organisation_id=cell.organisation_id,
                category=cell.category,
                work_package=cell.work_package,
                period=cell.period,
                amount=cell.amount,
            )
        )
    for note in content.notes:
        db.session.add(
            BudgetNote(budget_id=budget_id, organisation_id=note.organisation_id, kind=note.kind.value, text=note.text)
        )
    for position, source in enumerate(content.sources):
        db.session.add(_filled_source(BudgetSource(budget_id=budget_id), position, source))
    return budget_id


def _begin(
    owner_kind: str, owner_id: UUID, purpose: Purpose, budget_rules: BudgetRules, organisations: Sequence[UUID]
) -> Budget:
    assert not rules.rules_problems(budget_rules), "budget rules are checked before they are used"
    budget = Budget(
        owner_kind=owner_kind,
        owner_id=owner_id,
        purpose=purpose.value,
        rules=encoding.encode(budget_rules),
        saves=0,
    )
    db.session.add(budget)
    for position, organisation_id in enumerate(organisations):
        db.session.add(BudgetOrganisation(budget_id=budget.id, organisation_id=organisation_id, position=position))
    return budget


def move(budget_id: UUID, budget_rules: BudgetRules) -> None:
    """Let a budget follow other rules, inside an owner's act. No amount is lost: what has no column any more stands
    apart, under the name its category had, until somebody moves it or clears it.
    """
    assert not rules.rules_problems(budget_rules), "budget rules are checked before they are used"
    budget = locked(Budget, budget_id)
    before = queries.rules_of(budget)
    if before == budget_rules:
        return
    budget.rules = encoding.encode(budget_rules)
    named = budget.dropped | {category.code: category.label for category in before.entered}
    budget.dropped = {code: name for code, name in named.items() if budget_rules.category(code) is None}
    there = _packages(budget_id)
    known, position = {row.code for row in there}, len(there)
    for lump in budget_rules.lump_sums:
        if lump.work_package not in known:
            package = BudgetPackage(budget_id=budget.id, code=lump.work_package, title=lump.title, position=position)
            db.session.add(package)
            position += 1
    db.session.flush()


def clear_dropped(budget_id: UUID) -> Money:
    """Set every amount that has no place any more to zero, once its team has moved it; returns their sum."""
    budget = locked(Budget, budget_id)
    found, packages = queries.rules_of(budget), {row.code for row in _packages(budget_id)}
    cleared = []
    for line in _lines(budget_id):
        if line.amount and not found.has(queries.cell_of(line), packages):
            cleared.append(line.amount)
            line.amount = ZERO
            line.saved_at, line.saved_by = acts.moment(), acts.running_act().actor.user_id
    if cleared:
        _touch(budget)
    return total(cleared)


def add_organisation(budget_id: UUID, organisation_id: UUID) -> None:
    """One more row, at the end; an organisation that already has one keeps it."""
    budget = locked(Budget, budget_id)
    rows = _rows(budget_id)
    if organisation_id not in {row.organisation_id for row in rows}:
        position = max((row.position for row in rows), default=-1) + 1
        db.session.add(BudgetOrganisation(budget_id=budget_id, organisation_id=organisation_id, position=position))
        _touch(budget)


def remove_organisation(budget_id: UUID, organisation_id: UUID) -> None:
    """Take a row away; refused while it holds amounts, so that no money disappears unseen."""
    budget = locked(Budget, budget_id)
    held = queries.entered_by(budget_id, organisation_id)
    if held:
        raise Refused(
            f"This partner still has {held} in the budget. Move or clear its amounts first, then take it out."
        )
    for row in _rows(budget_id):
        if row.organisation_id == organisation_id:
            db.session.delete(row)
            _touch(budget)
    notes = select(BudgetNote).where(BudgetNote.budget_id == budget_id, BudgetNote.organisation_id == organisation_id)
    for row_of in (*_lines(budget_id), *db.session.scalars(notes)):
        if row_of.organisation_id == organisation_id:
            db.session.delete(row_of)
    _leads_no_more(budget_id, organisation_id)


def _leads_no_more(budget_id: UUID, organisation_id: UUID) -> None:
    """Nobody in particular does what this organisation was to do in the work plan; the lines stay."""
    for package in _packages(budget_id):
        package.lead_id = None if package.lead_id == organisation_id else package.lead_id
    lines = select(BudgetPlanItem).join(BudgetPackage, BudgetPackage.id == BudgetPlanItem.package_id)
    for item in db.session.scalars(
        lines.where(BudgetPackage.budget_id == budget_id, BudgetPlanItem.owner_id == organisation_id)
    ):
        item.owner_id = None


def save_cells(budget_id: UUID, cells: Iterable[Cell], version: int | None) -> int:
    """Store amounts and return the budget's new version; cells not given stay as they are.

    A cell of the computed column, of an unknown category or of an organisation without a row is
    not stored: the flat rate is worked out, never typed. Raises :class:`BudgetChanged` when
    somebody saved after ``version`` was shown, and :class:`Invalid` for an amount below zero.
    """
    budget = locked(Budget, budget_id)
    if version is not None and budget.version != version:
        raise BudgetChanged(
            "Somebody else saved this budget while you were working. What you typed is kept on this page, beside what was stored."
        )
    given = list(cells)
    opened = _opened(budget_id, given)
    for cell in given:
        if opened.has(cell):
            opened.store(cell)
    _touch(budget)
    db.session.flush()
    return budget.version


def write_cells(budget_id: UUID, cells: Sequence[Cell], shown: Sequence[Shown] | None) -> tuple[CellKept, ...]:
    """Store amounts, each by the version it was typed over; the same amount again is nothing new.

    ``shown`` says for each cell what its writer saw; None where nobody was shown a form. A cell that somebody else
    changed since is not overwritten: untouched it stays as it stands, otherwise both amounts come back. Reads once,
    however many cells there are. Two at the same moment are told apart by the budget's lock.
    """
    opened = _opened(budget_id, cells)
    seen: Sequence[Shown | None] = [None] * len(cells) if shown is None else shown
    kept, is_new = [], False
    cents = opened.cents
    for cell, before in zip(cells, seen, strict=True):
        outcome = _weighed(opened, cell, before)
        if outcome is Outcome.STORED and cell.amount != opened.amount(cell):
            cents += cell.amount.cents - opened.amount(cell).cents
            opened.store(cell)
            is_new = True
        kept.append((cell, outcome))
    _refuse_beyond(cents, [cell for cell, outcome in kept if outcome is Outcome.STORED])
    if is_new:
        _touch(opened.budget)
        db.session.flush()
    return tuple(opened.kept(cell, outcome) for cell, outcome in kept)


def _refuse_beyond(cents: int, cells: Sequence[Cell]) -> None:
    """Sums are kept as exactly as amounts: all cells together stay within the range of one."""
    if cents <= CENTS_MAX:
        return
    largest = max(cells, key=lambda cell: cell.amount.cents)
    sentence = (
        f"All amounts together would be more than EUR {Money(CENTS_MAX)}, the most this table adds up. "
        "Check the number of digits of the largest amount. Nothing was saved."
    )
    raise Invalid(sentence, {largest.place: sentence})


def _weighed(opened: _Opened, cell: Cell, shown: Shown | None) -> Outcome:
    if not opened.has(cell):
        return Outcome.NOT_THERE
    if shown is None or opened.number(cell) == shown.number or opened.amount(cell) == cell.amount:
        return Outcome.STORED
    return Outcome.STANDS if cell.amount == shown.amount else Outcome.CONTESTED


@dataclass(frozen=True, slots=True)
class _Opened:
    """A budget under its lock, with the lines of the cells that are written."""

    budget: Budget
    rules: BudgetRules
    organisations: frozenset[UUID]
    packages: frozenset[str]
    # Of all its lines together.
    cents: int
    lines: dict[tuple[UUID, str, str, int], BudgetLine]

    def has(self, cell: Cell) -> bool:
        """Whether the budget has such a cell; what stands outside all work packages may still be changed."""
        return cell.organisation_id in self.organisations and self.rules.has(cell, self.packages)

    def store(self, cell: Cell) -> None:
        """Put the amount into its line; a line set to zero stays, so that its history stays too."""
        if cell.amount < ZERO:
            raise Invalid(
                "A budget holds amounts of zero or more.",
                {cell.place: f"{cell.amount} is below zero. Enter zero or more."},
            )
        line = self.lines.get(_key(cell))
        if line is None and cell.amount:
            line = BudgetLine(
                budget_id=self.budget.id,
                organisation_id=cell.organisation_id,
                category=cell.category,
                work_package=cell.work_package,
                period=cell.period,
            )
            db.session.add(line)
            self.lines[_key(cell)] = line
        if line is not None:
            line.amount = cell.amount
            line.saved_at, line.saved_by = acts.moment(), acts.running_act().actor.user_id

    def number(self, cell: Cell) -> int:
        """How often the cell was saved."""
        line = self.lines.get(_key(cell))
        return line.version if line is not None else 0

    def amount(self, cell: Cell) -> Money:
        """What stands in the cell."""
        line = self.lines.get(_key(cell))
        return line.amount if line is not None else ZERO

    def kept(self, cell: Cell, outcome: Outcome) -> CellKept:
        """The cell as it stands now."""
        line = self.lines.get(_key(cell))
        if line is None:
            return CellKept(cell.place, outcome, 0, ZERO)
        return CellKept(cell.place, outcome, line.version, line.amount, line.saved_at, line.saved_by)


def _key(cell: Cell) -> tuple[UUID, str, str, int]:
    return (cell.organisation_id, cell.category, cell.work_package, cell.period)


def _opened(budget_id: UUID, cells: Sequence[Cell]) -> _Opened:
    """One statement, however many cells; raises :class:`NotFound`."""
    given = {
        "budget_id": budget_id,
        "organisations": list({cell.organisation_id for cell in cells}),
        "categories": list({cell.category for cell in cells}),
        "packages": list({cell.work_package for cell in cells}),
        "periods": list({cell.period for cell in cells}),
    }
    found = db.session.execute(_budget_and_lines(), given).all()
    if not found:
        raise NotFound
    budget, present, codes, cents, _ = found[0]
    lines = {(line.organisation_id, line.category, line.work_package, line.period): line for *_, line in found if line}
    return _Opened(
        budget, queries.rules_of(budget), frozenset(present or ()), frozenset(codes or ()), int(cents), lines
    )


@functools.cache
def _budget_and_lines() -> Select[Any]:
    """What :func:`_opened` asks, put together once: it happens every few seconds of typing."""
    budget_id = bindparam("budget_id", type_=Uuid)
    organisations = (
        select(func.array_agg(BudgetOrganisation.organisation_id, type_=ARRAY(Uuid)))
        .where(BudgetOrganisation.budget_id == budget_id)
        .scalar_subquery()
    )
    packages = (
        select(func.array_agg(BudgetPackage.code, type_=ARRAY(Text)))
        .where(BudgetPackage.budget_id == budget_id)
        .scalar_subquery()
    )
    every = aliased(BudgetLine)
    # As a number without end: the sum of what older versions stored may be beyond any column.
    summed = select(func.coalesce(func.sum(cast(every.amount, Numeric)), 0)).where(every.budget_id == budget_id)
    wanted = and_(
        BudgetLine.budget_id == Budget.id,
        BudgetLine.organisation_id == any_(bindparam("organisations", type_=ARRAY(Uuid))),
        BudgetLine.category == any_(bindparam("categories", type_=ARRAY(Text))),
        BudgetLine.work_package == any_(bindparam("packages", type_=ARRAY(Text))),
        BudgetLine.period == any_(bindparam("periods", type_=ARRAY(Integer))),
    )
    return (
        select(Budget, organisations, packages, summed.scalar_subquery(), BudgetLine)
        .outerjoin(BudgetLine, wanted)
        .where(Budget.id == budget_id)
        .with_for_update(of=Budget)
        .execution_options(populate_existing=True)
    )


def write_notes(budget_id: UUID, notes: Sequence[Note]) -> None:
    """Store sentences; one not given stays as it is, an empty one is taken away. A note of a foreign row is left out."""
    budget = locked(Budget, budget_id)
    present = {row.organisation_id for row in _rows(budget_id)}
    rows = {
        (row.organisation_id, row.kind): row
        for row in db.session.scalars(select(BudgetNote).where(BudgetNote.budget_id == budget_id))
    }
    for note in notes:
        text, row = rules.read_note(note.text), rows.get((note.organisation_id, note.kind.value))
        if row is not None and row.text != text:
            row.text = text
        elif row is None and text and note.organisation_id in present:
            db.session.add(
                BudgetNote(budget_id=budget.id, organisation_id=note.organisation_id, kind=note.kind.value, text=text)
            )


def write_sources(budget_id: UUID, sources: Sequence[Source], mark: str | None) -> None:
    """Replace the sources by these; ``mark`` is that of the sources that were shown, None where nobody was shown any.

    Raises :class:`BudgetChanged` when somebody saved others meanwhile.
    """
    budget = locked(Budget, budget_id)
    if mark is not None and mark != rules.sources_mark(queries.sources_of(budget_id)):
        raise BudgetChanged("Somebody else saved the sources while you were working.")
    if len(sources) > rules.SOURCES_MAX:
        raise Invalid(f"A budget holds at most {rules.SOURCES_MAX} sources. Put small ones together.")
    rows = db.session.scalars(
        select(BudgetSource).where(BudgetSource.budget_id == budget_id).order_by(BudgetSource.position, BudgetSource.id)
    ).all()
    for position, source in enumerate(sources):
        row = rows[position] if position < len(rows) else None
        if row is None:
            row = BudgetSource(budget_id=budget.id)
            db.session.add(row)
        _filled_source(row, position, source)
    for row in rows[len(sources) :]:
        db.session.delete(row)
    _touch(budget)


def write_plan(budget_id: UUID, plan: Sequence[PlannedPackage], mark: str | None) -> tuple[str, ...]:
    """Replace the work plan; work packages keep their codes, new ones get the next, ones left out are taken away.
    Returns the codes in the order of the plan.

    ``mark`` is that of the plan that was shown, None where nobody was shown one. Raises :class:`BudgetChanged` when
    somebody else saved it meanwhile, :class:`Invalid` where an organisation outside this budget is named, and
    :class:`Refused` where a work package left out still holds amounts or is one the call itself names.
    """
    budget = locked(Budget, budget_id)
    if mark is not None and mark != rules.plan_mark(queries.plan_of(budget_id)):
        raise BudgetChanged("Somebody else saved the work plan while you were working.")
    named = {who for each in plan for who in (each.lead_id, *(item.owner_id for item in each.items)) if who}
    if named - {row.organisation_id for row in _rows(budget_id)}:
        raise Invalid("An organisation that takes no part is named in the work plan. Choose one of the partners.")
    rows = {row.code: row for row in _packages(budget_id)}
    for code in rows.keys() - {each.code for each in plan}:
        _remove_package(budget, rows[code])
    # A code that was once in use is not given again as long as a later one stands.
    last = max((int(code[2:]) for code in rows if re.fullmatch("WP[0-9]{1,6}", code)), default=0)
    codes = []
    for position, package in enumerate(plan):
        row = rows.get(package.code)
        if row is None:
            last += 1
            row = BudgetPackage(budget_id=budget.id, code=package.code or f"WP{last}")
            db.session.add(row)
        _fill_package(row, position, package)
        _write_items(row.id, package)
        codes.append(row.code)
    _touch(budget)
    return tuple(codes)


def _write_items(package_id: UUID, package: PlannedPackage) -> None:
    rows = db.session.scalars(
        select(BudgetPlanItem)
        .where(BudgetPlanItem.package_id == package_id)
        .order_by(BudgetPlanItem.position, BudgetPlanItem.id)
    ).all()
    for position, item in enumerate(package.items):
        row = rows[position] if position < len(rows) else None
        if row is None:
            row = BudgetPlanItem(package_id=package_id)
            db.session.add(row)
        _filled_item(row, position, item)
    for row in rows[len(package.items) :]:
        db.session.delete(row)


def _fill_package(row: BudgetPackage, position: int, package: PlannedPackage) -> None:
    row.position, row.title, row.lead_id = position, package.title, package.lead_id
    row.starts_month = package.months.first if package.months else None
    row.ends_month = package.months.last if package.months else None


def _filled_item(row: BudgetPlanItem, position: int, item: PlanItem) -> BudgetPlanItem:
    row.position, row.kind, row.title, row.owner_id = position, item.kind.value, item.title, item.owner_id
    row.starts_month, row.ends_month = item.months.first, item.months.last
    return row


def _filled_source(row: BudgetSource, position: int, source: Source) -> BudgetSource:
    row.position, row.name, row.kind = position, source.name, source.kind.value
    row.amount, row.confirmed = source.amount, source.confirmed
    return row


def _remove_package(budget: Budget, row: BudgetPackage) -> None:
    if row.code in {lump.work_package for lump in queries.rules_of(budget).lump_sums}:
        raise Refused(f"The call itself names {row.code}: it cannot be taken away. Give it back its title.")
    held = total(line.amount for line in _lines(budget.id) if line.work_package == row.code)
    if held:
        raise Refused(f"{row.code} still has {held} in the budget. Move or clear its amounts first, then take it away.")
    _write_items(row.id, PlannedPackage(row.code, row.title))
    db.session.delete(row)


def _rows(budget_id: UUID) -> Sequence[BudgetOrganisation]:
    return db.session.scalars(
        select(BudgetOrganisation)
        .where(BudgetOrganisation.budget_id == budget_id)
        .order_by(BudgetOrganisation.position, BudgetOrganisation.id)
    ).all()


def _lines(budget_id: UUID) -> Sequence[BudgetLine]:
    return db.session.scalars(
        select(BudgetLine)
        .where(BudgetLine.budget_id == budget_id)
        .order_by(BudgetLine.organisation_id, BudgetLine.category, BudgetLine.work_package, BudgetLine.period)
    ).all()


def _packages(budget_id: UUID) -> Sequence[BudgetPackage]:
    return db.session.scalars(
        select(BudgetPackage).where(BudgetPackage.budget_id == budget_id).order_by(BudgetPackage.position)
    ).all()


def _touch(budget: Budget) -> None:
    """A new version even where no amount changed, so that a form sent later is known to be stale."""
    budget.saves += 1
    budget.saved_at = acts.moment()
    budget.saved_by = acts.running_act().actor.user_id
