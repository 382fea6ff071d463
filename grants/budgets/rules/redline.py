"""Two budgets held against each other: what was kept, added, removed or changed of amounts, work plan and sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from uuid import UUID

from grants.budgets.rules.frozen import BudgetContent
from grants.budgets.rules.funding import Source
from grants.budgets.rules.plan import PlanItem, PlannedPackage
from grants.budgets.rules.sums import package_order
from grants.budgets.rules.values import Category, OrganisationTotals
from grants.core.money import ZERO, Money


class Change(StrEnum):
    """What became of a part between the old budget and the new."""

    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class AmountChange:
    """One amount, old and new."""

    old: Money
    new: Money

    @property
    def difference(self) -> Money:
        """What is added; below zero for what is taken away."""
        return self.new - self.old

    @property
    def change(self) -> Change:
        """What became of it; an amount of zero is none."""
        if self.old == self.new:
            return Change.KEPT
        return Change.ADDED if not self.old else Change.CHANGED if self.new else Change.REMOVED


@dataclass(frozen=True, slots=True)
class RowChange:
    """One partner: each category in the order of the redline, its total cost and what it asks for."""

    organisation_id: UUID
    change: Change
    cells: tuple[AmountChange, ...]
    total: AmountChange
    requested: AmountChange


@dataclass(frozen=True, slots=True)
class LineChange:
    """One amount as it was entered that is another now: whose, where it stands."""

    organisation_id: UUID
    category: str
    work_package: str
    period: int
    amount: AmountChange


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A line of the work plan, old and new; one of them is missing where it was added or removed."""

    change: Change
    old: PlanItem | None
    new: PlanItem | None


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A work package, old and new, with its lines; ``change`` says of title, lead, months and lines together."""

    code: str
    change: Change
    old: PlannedPackage | None
    new: PlannedPackage | None
    items: tuple[ItemChange, ...]

    @property
    def title(self) -> str:
        """Of the new one, or of the old where it is gone."""
        found = self.new or self.old
        assert found is not None, "a package is old or new"
        return found.title


@dataclass(frozen=True, slots=True)
class SourceChange:
    """Money beside the grant: the same, one that came, or one that went."""

    change: Change
    source: Source


@dataclass(frozen=True, slots=True)
class Redline:
    """Everything that was compared; sums of rows and columns agree to the cent, old and new alike."""

    categories: tuple[Category, ...]
    rows: tuple[RowChange, ...]
    by_category: tuple[AmountChange, ...]
    total: AmountChange
    requested: AmountChange
    lines: tuple[LineChange, ...]
    packages: tuple[PackageChange, ...]
    sources: tuple[SourceChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not self.lines and not self.changed_packages and not self.changed_sources

    @property
    def changed_packages(self) -> tuple[PackageChange, ...]:
        """Work packages of which anything changed."""
        return tuple(each for each in self.packages if each.change is not Change.KEPT)

    @property
    def changed_sources(self) -> tuple[SourceChange, ...]:
        """Sources that came or went."""
        return tuple(each for each in self.sources if each.change is not Change.KEPT)


def compare(old: BudgetContent, new: BudgetContent) -> Redline:
    """Hold a budget against an older one; each is summed up by its own rules.

    A partner, category or work package that only one of them has counts as zero in the other.
    """
    categories = _categories(old, new)
    before, after = _columns(old, categories), _columns(new, categories)
    was, now = old.totals, new.totals
    order = tuple(dict.fromkeys((*new.organisations, *old.organisations)))
    rows = tuple(
        _row(who, before.get(who), after.get(who), is_old=who in old.organisations, is_new=who in new.organisations)
        for who in order
    )
    columns = range(len(categories))
    return Redline(
        categories=categories,
        rows=rows,
        by_category=tuple(AmountChange(_sum(before, column), _sum(after, column)) for column in columns),
        total=AmountChange(was.total, now.total),
        requested=AmountChange(was.requested, now.requested),
        lines=_lines(old, new, order, categories),
        packages=_packages(old.plan, new.plan),
        sources=_sources(old.sources, new.sources),
    )


def _categories(old: BudgetContent, new: BudgetContent) -> tuple[Category, ...]:
    """The columns of the new one, then those only the old one has."""
    known = {each.code for each in new.rules.categories}
    return (*new.rules.categories, *(each for each in old.rules.categories if each.code not in known))


@dataclass(frozen=True, slots=True)
class _Columns:
    """One partner's sums in the order of the redline."""

    amounts: tuple[Money, ...]
    row: OrganisationTotals


def _columns(content: BudgetContent, categories: Sequence[Category]) -> dict[UUID, _Columns]:
    places = {each.code: place for place, each in enumerate(content.rules.categories)}
    return {
        row.organisation_id: _Columns(
            tuple(row.amounts[places[each.code]] if each.code in places else ZERO for each in categories), row
        )
        for row in content.totals.rows
    }


def _sum(columns: Mapping[UUID, _Columns], column: int) -> Money:
    found = ZERO
    for each in columns.values():
        found += each.amounts[column]
    return found


def _row(who: UUID, old: _Columns | None, new: _Columns | None, *, is_old: bool, is_new: bool) -> RowChange:
    was, now = old.amounts if old else (), new.amounts if new else ()
    cells = tuple(AmountChange(*pair) for pair in zip_longest(was, now, fillvalue=ZERO))
    whole = AmountChange(old.row.total if old else ZERO, new.row.total if new else ZERO)
    asked = AmountChange(old.row.requested if old else ZERO, new.row.requested if new else ZERO)
    if is_old and is_new:
        differs = any(each.change is not Change.KEPT for each in (*cells, asked))
        change = Change.CHANGED if differs else Change.KEPT
    else:
        change = Change.ADDED if is_new else Change.REMOVED
    return RowChange(who, change, cells, whole, asked)


def _lines(
    old: BudgetContent, new: BudgetContent, order: Sequence[UUID], categories: Sequence[Category]
) -> tuple[LineChange, ...]:
    """Every amount entered that is another now, by work package, partner, period and category."""
    before, after = _entered(old), _entered(new)
    partners = {who: place for place, who in enumerate(order)}
    columns = {each.code: place for place, each in enumerate(categories)}
    places = sorted(
        before.keys() | after.keys(),
        key=lambda place: (package_order(place[2]), partners[place[0]], place[3], columns[place[1]]),
    )
    found = (LineChange(*place, AmountChange(before.get(place, ZERO), after.get(place, ZERO))) for place in places)
    return tuple(line for line in found if line.amount.change is not Change.KEPT)


def _entered(content: BudgetContent) -> dict[tuple[UUID, str, str, int], Money]:
    return {
        (cell.organisation_id, cell.category, cell.work_package, cell.period): cell.amount
        for cell in content.cells
        if cell.amount
    }


def _packages(old: Sequence[PlannedPackage], new: Sequence[PlannedPackage]) -> tuple[PackageChange, ...]:
    """By their codes: those of the new plan in its order, then those that are gone."""
    before, after = {each.code: each for each in old}, {each.code: each for each in new}
    return tuple(_package(code, before.get(code), after.get(code)) for code in dict.fromkeys((*after, *before)))


def _package(code: str, old: PlannedPackage | None, new: PlannedPackage | None) -> PackageChange:
    items = _items(old.items if old else (), new.items if new else ())
    if old is None or new is None:
        change = Change.ADDED if old is None else Change.REMOVED
    else:
        change = Change.KEPT if old == new else Change.CHANGED
    return PackageChange(code, change, old, new, items)


def _items(old: Sequence[PlanItem], new: Sequence[PlanItem]) -> tuple[ItemChange, ...]:
    """Lines have no number of their own: the same line is kept, one of the same kind and title changed, the rest came or went."""
    # Equal lines find each other first, so that no other line takes their place.
    spare = Counter(old) & Counter(new)
    left = list((Counter(old) - spare).elements())
    found = []
    for item in new:
        if spare[item]:
            spare[item] -= 1
            found.append(ItemChange(Change.KEPT, item, item))
            continue
        earlier = next((each for each in left if (each.kind, each.title) == (item.kind, item.title)), None)
        if earlier is not None:
            left.remove(earlier)
        found.append(ItemChange(Change.CHANGED if earlier else Change.ADDED, earlier, item))
    return (*found, *(ItemChange(Change.REMOVED, each, None) for each in left))


def _sources(old: Sequence[Source], new: Sequence[Source]) -> tuple[SourceChange, ...]:
    left = list(old)
    found = []
    for source in new:
        is_kept = source in left
        if is_kept:
            left.remove(source)
        found.append(SourceChange(Change.KEPT if is_kept else Change.ADDED, source))
    return (*found, *(SourceChange(Change.REMOVED, each) for each in left))
