"""Tables of awards: the selection decision, frozen with its rules, and one row for each application in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import AmountBasis, Outcome, SelectionKind, SelectionState
from grants.core.db import Row, points_to, state_check
from grants.core.money import Money


class Selection(Row):
    """A ranked list as it was decided: by one person, confirmed by another. Money is reserved at confirmation."""

    __tablename__ = "selection"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(SelectionState),
        state_check(SelectionKind, "kind"),
        CheckConstraint("confirmed_by <> decided_by", name="second_person"),
        CheckConstraint("returned_by <> decided_by", name="returned_by_another"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed_has_time"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_has_person"),
        CheckConstraint("(state = 'returned') = (return_reason IS NOT NULL)", name="returned_has_reason"),
        CheckConstraint("(returned_by IS NULL) = (return_reason IS NULL)", name="returned_has_person"),
        CheckConstraint("(draw_refused_at IS NULL) = (draw_refused_by IS NULL)", name="draw_refused_has_person"),
        CheckConstraint("draw_refused_by <> decided_by", name="draw_refused_to_another"),
        CheckConstraint(
            "draw_refused_at IS NULL OR (undrawn AND state <> 'confirmed')", name="draw_refused_is_never_confirmed"
        ),
        CheckConstraint("used >= 0 AND used <= budget", name="within_budget"),
        CheckConstraint("(kind = 'published_outcome') = (source_url IS NOT NULL)", name="published_has_source"),
        CheckConstraint("octet_length(list_sha256) = 32", name="list_sha256_length"),
        Index("uq_selection_one_open", "call_id", unique=True, postgresql_where="state = 'decided'"),
        Index(
            "uq_selection_one_ranked",
            "call_id",
            unique=True,
            postgresql_where="kind = 'ranked' AND state = 'confirmed'",
        ),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    budget: Mapped[Money]
    used: Mapped[Money]
    rules: Mapped[dict[str, Any]]
    line_words: Mapped[str]
    list_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    # Whether its group at the line waits for the draw by lot, which the confirmation makes.
    undrawn: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str]
    # Why it was decided, and confirmed, although complaints about eligibility were open; empty where none was.
    despite: Mapped[str] = mapped_column(default="")
    confirmed_despite: Mapped[str | None]
    source_url: Mapped[str | None]
    source_title: Mapped[str | None]
    # The scenario it was chosen from; None by the rules of the call.
    scenario_id: Mapped[UUID | None] = mapped_column(points_to("selection_scenario.id"))
    # What the list by the rules of the call and every scenario came to; read only where they are compared.
    compared: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    decided_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    decided_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    return_reason: Mapped[str | None]
    # Who was to confirm it when its draw by lot was refused: a list with a refused draw is returned, and stays on the record.
    draw_refused_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    draw_refused_at: Mapped[datetime | None]


class SelectionItem(Row):
    """One application in a selection. A published outcome has no rank and no score."""

    __tablename__ = "selection_item"
    __table_args__ = (
        UniqueConstraint("selection_id", "application_id"),
        # A draw by lot puts many in another order at once.
        UniqueConstraint("selection_id", "position", deferrable=True, initially="DEFERRED"),
        state_check(Outcome, "outcome"),
        state_check(AmountBasis, "amount_basis"),
        CheckConstraint("rank IS NULL OR outcome <> 'below_threshold'", name="below_has_no_rank"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("amount <= asked", name="recommended_at_most_asked"),
    )

    selection_id: Mapped[UUID] = mapped_column(points_to("selection.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    position: Mapped[int]
    rank: Mapped[int | None]
    outcome: Mapped[str]
    amount: Mapped[Money]
    amount_basis: Mapped[str]
    # The weighted score exactly, as a fraction in text ("27/2"), and the half points by criterion (a mean as a fraction too).
    score: Mapped[str | None]
    halves: Mapped[dict[str, Any] | None]
    # By how much the panel moved that score, in half points, and what the marks were made of, in words.
    shift_half: Mapped[int] = mapped_column(default=0)
    basis: Mapped[str] = mapped_column(default="")
    # How its ties were decided, a sentence a line.
    tie_words: Mapped[str]
    threshold_words: Mapped[str]
    # Which rule kept it out or brought it in; what was asked for where less is recommended; on which conditions.
    rule_words: Mapped[str] = mapped_column(default="")
    asked: Mapped[Money | None]
    conditions: Mapped[str] = mapped_column(default="")
    straddles: Mapped[bool]
    # How much more the straddling row asks for than was left.
    missing: Mapped[Money]
    # Whether its list waits for the draw by lot: place, outcome and words are filled by that.
    undrawn: Mapped[bool] = mapped_column(default=False)
    entry_id: Mapped[UUID | None] = mapped_column(points_to("ledger_entry.id"))
