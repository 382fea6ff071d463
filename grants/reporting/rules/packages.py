"""Lump sums: what each work package is worth to each beneficiary, what of it is declared done, and what is accepted. Pure.

A package is done or not; a part of it counts at the end of the grant only (its final report). One partner's failure
holds the package back for all: it is declared and judged as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from grants.budgets.rules import BudgetContent, BudgetRules, Category, Cell, Package
from grants.core.errors import Invalid, Problem
from grants.core.money import ZERO, Money, Rounding, total
from grants.reporting.rules.reports import Judged

# The kind under which the evidence of a completed package is kept.
EVIDENCE_FILES = "package_evidence"
WHOLE = 100


@dataclass(frozen=True, slots=True)
class LumpPackage:
    """A work package with its lump sum, by beneficiary."""

    code: str
    title: str
    amounts: Mapping[UUID, Money]

    @property
    def amount(self) -> Money:
        """Its whole lump sum."""
        return total(self.amounts.values())

    def share(self, percent: int) -> dict[UUID, Money]:
        """What of it so many percent are, rounded once for each beneficiary, half up."""
        rate = Fraction(percent, WHOLE)
        return {who: each.share(rate, rounding=Rounding.HALF_UP) for who, each in self.amounts.items()}


@dataclass(frozen=True, slots=True)
class Claim:
    """What the city declares of a package: how much of it is done, in percent, and what shows it."""

    percent: int
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the officer accepts of a declared package, in percent, and why where it is less."""

    code: str
    percent: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that shows a package done."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PackageView:
    """A package in one report: its lump sum, what earlier reports had accepted of it, what is declared and accepted now."""

    package: LumpPackage
    before: int
    claim_id: UUID | None = None
    percent: int = 0
    words: str = ""
    accepted: int | None = None
    reason: str | None = None
    files: tuple[EvidenceFile, ...] = ()
    # How often it was declared; 0 for one that was not.
    version: int = 0

    @property
    def left(self) -> int:
        """How much of it may still be declared, in percent."""
        return WHOLE - self.before

    @property
    def declared(self) -> Money:
        """What is declared of it, in money."""
        return total(self.package.share(self.percent).values())


def packages_of(budget: BudgetContent, maxima: Mapping[UUID, Money]) -> tuple[LumpPackage, ...]:
    """The work packages of a grant with what each is worth: every beneficiary's maximum over its costs by package.

    The sums of all packages are the maximum of the grant, to the cent. What a budget holds outside of any package goes
    over the packages in proportion; who has costs in none has its maximum in equal parts.
    """
    packages = budget.packages
    weights: dict[UUID, list[int]] = {who: [0] * len(packages) for who in maxima}
    place = {package.code: number for number, package in enumerate(packages)}
    for each in budget.totals.slices:
        if each.organisation_id in weights and each.work_package in place:
            weights[each.organisation_id][place[each.work_package]] += each.total.cents
    parts = {
        who: maximum.split(weights[who] if sum(weights[who]) else [1] * len(packages))
        for who, maximum in maxima.items()
        if packages
    }
    return tuple(
        LumpPackage(package.code, package.title, {who: parts[who][number] for who in maxima})
        for number, package in enumerate(packages)
    )


def lump_rules(packages: Sequence[Package]) -> BudgetRules:
    """The rules of a report's statement where lump sums are paid: one column for each package, and no rate on any."""
    return BudgetRules(tuple(Category(each.code, each.title, in_flat_rate_base=False) for each in packages))


def cells_of(package: LumpPackage, percent: int) -> tuple[Cell, ...]:
    """What is declared of a package, by beneficiary."""
    return tuple(Cell(who, package.code, amount) for who, amount in package.share(percent).items())


def claim_problems(view: PackageView, claim: Claim, *, final: bool, has_file: bool) -> dict[str, str]:
    """What is wrong with what is declared of a package, by field; empty when it may stand.

    >>> package = LumpPackage("WP1", "Homes", {})
    >>> claim_problems(PackageView(package, before=0), Claim(60, "Half of it."), final=False, has_file=True)["percent"]
    'Before the final report a package is done or not. Enter 100 or 0; what is missing can be declared later.'
    """
    found: dict[str, str] = {}
    if not 0 <= claim.percent <= WHOLE:
        found["percent"] = "Enter a percentage from 0 to 100."
    elif claim.percent > view.left:
        found["percent"] = f"{view.before} % of this package is accepted already. Enter at most {view.left}."
    elif not final and claim.percent not in (0, WHOLE):
        found["percent"] = (
            "Before the final report a package is done or not. Enter 100 or 0; what is missing can be declared later."
        )
    if claim.percent > 0 and not claim.words.strip():
        found["words"] = "Say how it is done by its written criteria; the programme reads it."
    if claim.percent > 0 and not has_file:
        found["file"] = "Choose a file that shows it done; the programme looks at it."
    return found


def check_verdicts(views: Sequence[PackageView], verdicts: Sequence[Verdict], *, final: bool) -> dict[str, Verdict]:
    """The verdicts by package, complete; refused where one is missing, above what is declared, in part before the end, or
    lower without a reason."""
    given = {each.code: each for each in verdicts}
    wrong: dict[str, str] = {}
    for view in views:
        if not view.percent:
            continue
        code = view.package.code
        verdict = given.get(code)
        if verdict is None or not 0 <= verdict.percent <= view.percent:
            wrong[f"accepted-{code}"] = f"Enter how much is accepted: from 0 to the {view.percent} % declared."
        elif not final and verdict.percent not in (0, view.percent):
            wrong[f"accepted-{code}"] = (
                f"Before the final report a package is accepted or not: enter {view.percent} or 0. A part counts only at the end."
            )
        elif verdict.percent < view.percent and not verdict.reason.strip():
            wrong[f"reason-{code}"] = "Say what is missing; the city reads it."
    if wrong:
        raise Invalid("The work packages cannot be judged like this.", wrong)
    return {view.package.code: given[view.package.code] for view in views if view.percent}


def judged_of(
    views: Sequence[PackageView], verdicts: Mapping[str, Verdict], declared: Sequence[Cell]
) -> tuple[Judged, ...]:
    """The verdicts in money, for each amount that was declared."""
    by_code = {view.package.code: view for view in views}
    found = []
    for cell in declared:
        verdict, view = verdicts[cell.category], by_code[cell.category]
        whole = verdict.percent == view.percent
        accepted = cell.amount if whole else view.package.share(verdict.percent).get(cell.organisation_id, ZERO)
        reason = None if whole else verdict.reason.strip()
        found.append(Judged(cell.organisation_id, cell.category, cell.amount, min(accepted, cell.amount), reason))
    return tuple(found)


def too_much(reference: str, code: str, percent: int) -> Problem:
    """I9: more than the whole of a package was accepted."""
    return Problem(reference, f"I9: {percent} % of the work package {code} was accepted in all.")
