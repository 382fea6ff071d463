"""What an agreement carries beside its articles: description of the action, work plan, budget. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from grants.agreements.rules.revising import Revised
from grants.applications.rules import SubmittedContent
from grants.budgets.rules import BudgetContent, label_with_unit, timeline
from grants.core.money import Money
from grants.dossiers import rules as dossiers


@dataclass(frozen=True, slots=True)
class AnnexSection:
    """One section of the description: each question with its answer, as the page shows it."""

    title: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What the city promised to do, in its own words. ``basis`` says which document it was taken from."""

    basis: str
    summary: str
    sections: tuple[AnnexSection, ...]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A work package, or a task, milestone or deliverable in it."""

    code: str
    title: str
    kind: str
    owner: str
    months: str


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """What one beneficiary plans to spend by category, and what of it the grant pays."""

    name: str
    amounts: tuple[Money, ...]
    total: Money
    requested: Money


@dataclass(frozen=True, slots=True)
class BudgetTable:
    """Beneficiaries by cost category, with the sums of both. ``basis`` says which document it was taken from."""

    basis: str
    categories: tuple[str, ...]
    lines: tuple[BudgetLine, ...]
    totals: BudgetLine


@dataclass(frozen=True, slots=True)
class Annexes:
    """The annexes of an agreement; each is None where there is nothing to take it from."""

    description: Description | None = None
    work_plan: tuple[PlanLine, ...] | None = None
    budget: BudgetTable | None = None


NO_ANNEXES = Annexes()


def annexes(sent: SubmittedContent) -> Annexes:
    """The annexes as the application that stands has them: the version that was judged, never a draft after it.

    So they are for a grant from before grants had a budget and a description of their own.
    """
    basis = f"Application {sent.reference}, version {sent.number}"
    return _annexes(basis, _description(basis, sent, sent.dossier), sent.budget, sent.organisation_names)


def own_annexes(basis: str, own: Revised, names: Mapping[UUID, str], sent: SubmittedContent | None) -> Annexes:
    """The annexes as the grant's own budget and description have them; summary and names of files are those of the
    application, which nothing revises.
    """
    said = _description(basis, sent, own.description) if sent is not None and own.description is not None else None
    return _annexes(basis, said, own.budget, names)


def _annexes(basis: str, said: Description | None, budget: BudgetContent, names: Mapping[UUID, str]) -> Annexes:
    table = budget_table(budget, names, basis) if budget.totals.rows else None
    return Annexes(said, plan_lines(budget, names) or None, table)


def _description(basis: str, sent: SubmittedContent, dossier: dossiers.DossierContent) -> Description:
    file_names = {str(file.file_id): file.name for file in sent.files}
    sections = tuple(
        AnnexSection(
            section.section.title,
            tuple((item.question.label, dossiers.answer_words(item, file_names)) for item in section.items),
        )
        for section in dossiers.answered(dossier)
        if section.items and not _is_sign_off(section)
    )
    return Description(basis, sent.summary or "", sections)


def _is_sign_off(section: dossiers.AnsweredSection) -> bool:
    """Whether a section holds what was confirmed when the application was sent (and whom not to ask to assess it): nothing of
    it describes the action."""
    return any(item.question.kind is dossiers.QuestionKind.CONFIRMATION for item in section.items)


def plan_lines(budget: BudgetContent, names: Mapping[UUID, str]) -> tuple[PlanLine, ...]:
    """The work plan from top to bottom."""
    bars, _ = timeline(budget.plan, names)
    return tuple(
        PlanLine(bar.code, bar.title, bar.kind, bar.owner, bar.months.words if bar.months else "") for bar in bars
    )


def budget_table(budget: BudgetContent, names: Mapping[UUID, str], basis: str) -> BudgetTable:
    """The budget by beneficiary and category; every line and every column sums to the cent."""
    sums = budget.totals
    return BudgetTable(
        basis,
        tuple(label_with_unit(budget.rules, category) for category in budget.rules.categories),
        tuple(BudgetLine(names[row.organisation_id], row.amounts, row.total, row.requested) for row in sums.rows),
        BudgetLine("All beneficiaries", sums.by_category, sums.total, sums.requested),
    )
