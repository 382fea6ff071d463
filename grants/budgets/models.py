"""Tables of budgets: which organisations take part, in which order, and one amount for each category entered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.budgets.rules import ItemKind, NoteKind, Purpose, SourceKind
from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to, state_check
from grants.core.money import Money


class Budget(Row):
    """One budget of one owner (kind and id, without foreign key); keeps the rules it was made under.

    ``saves`` counts, so that each save of any cell makes a new version of the whole.
    """

    __tablename__ = "budget"
    __table_args__ = (
        UniqueConstraint("owner_kind", "owner_id", "purpose"),
        state_check(Purpose, "purpose"),
        CheckConstraint("(saves = 0) = (saved_at IS NULL)", name="saved_has_time"),
    )

    owner_kind: Mapped[str]
    owner_id: Mapped[UUID]
    purpose: Mapped[str]
    rules: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    # What categories were called that the rules do not know any more, by code: amounts may still stand there.
    dropped: Mapped[dict[str, Any]] = mapped_column(default=dict)
    saves: Mapped[int] = mapped_column(info=NOT_AUDITED)
    saved_at: Mapped[datetime | None] = mapped_column(info=NOT_AUDITED)
    saved_by: Mapped[UUID | None] = mapped_column(info=NOT_AUDITED)


class BudgetOrganisation(Row):
    """One row of the grid."""

    __tablename__ = "budget_organisation"
    __table_args__ = (UniqueConstraint("budget_id", "organisation_id"),)

    budget_id: Mapped[UUID] = mapped_column(points_to("budget.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    position: Mapped[int]


class BudgetPackage(Row):
    """A work package: an axis of the amounts, and of the work plan beside them."""

    __tablename__ = "budget_package"
    __table_args__ = (
        UniqueConstraint("budget_id", "code"),
        CheckConstraint("(starts_month IS NULL) = (ends_month IS NULL)", name="months_both"),
        CheckConstraint("starts_month >= 1 AND ends_month >= starts_month", name="months_in_order"),
    )

    budget_id: Mapped[UUID] = mapped_column(points_to("budget.id"))
    code: Mapped[str]
    title: Mapped[str]
    position: Mapped[int]
    lead_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)
    starts_month: Mapped[int | None]
    ends_month: Mapped[int | None]


class BudgetLine(Row):
    """One amount entered; the flat rate is never stored. Its version is what a browser carries of the cell.

    Outside work packages the code is empty, without periods the period is 0.
    """

    __tablename__ = "budget_line"
    __table_args__ = (
        UniqueConstraint(
            "budget_id", "organisation_id", "category", "work_package", "period", name="uq_budget_line_cell"
        ),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("period >= 0", name="period_not_negative"),
    )

    budget_id: Mapped[UUID] = mapped_column(points_to("budget.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    category: Mapped[str]
    amount: Mapped[Money]
    work_package: Mapped[str]
    period: Mapped[int]
    saved_at: Mapped[datetime | None] = mapped_column(info=NOT_AUDITED)
    saved_by: Mapped[UUID | None] = mapped_column(info=NOT_AUDITED)


class BudgetNote(Row):
    """One sentence that explains costs of a public administration."""

    __tablename__ = "budget_note"
    __table_args__ = (UniqueConstraint("budget_id", "organisation_id", "kind"), state_check(NoteKind, "kind"))

    budget_id: Mapped[UUID] = mapped_column(points_to("budget.id"))
    organisation_id: Mapped[UUID] = mapped_column(points_to("organisation.id"), index=True)
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(info=DIGEST)


class BudgetSource(Row):
    """Money beside the grant."""

    __tablename__ = "budget_source"
    __table_args__ = (
        state_check(SourceKind, "kind"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    budget_id: Mapped[UUID] = mapped_column(points_to("budget.id"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    amount: Mapped[Money]
    confirmed: Mapped[bool]


class BudgetPlanItem(Row):
    """A task, milestone or deliverable of a work package."""

    __tablename__ = "budget_plan_item"
    __table_args__ = (
        state_check(ItemKind, "kind"),
        CheckConstraint("starts_month >= 1 AND ends_month >= starts_month", name="months_in_order"),
    )

    package_id: Mapped[UUID] = mapped_column(points_to("budget_package.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    owner_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)
    starts_month: Mapped[int]
    ends_month: Mapped[int]
