"""Terminations of a grant: proposed by one side, confirmed by a second person, carried out on their day."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import STANDING_TERMINATIONS, Side, TerminationReason, TerminationState
from grants.core.db import DIGEST, Row, points_to, state_check

_STANDS = column("state").in_([state.value for state in STANDING_TERMINATIONS])


class AgreementTermination(Row):
    """The end of a grant, or of one partner’s part in it, before its time, with its notice, what the other side said to it, and who confirmed it.

    ``wanted_on`` is the first day on which the work would be over, as proposed; ``effective_on`` as confirmed.
    """

    __tablename__ = "agreement_termination"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        state_check(TerminationState),
        state_check(TerminationReason, "reason"),
        state_check(Side, "by_side"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("words <> ''", name="has_words"),
        CheckConstraint(
            "(objected_at IS NULL) = (objection IS NULL) AND (objected_at IS NULL) = (objected_by IS NULL)"
            " AND (state <> 'objected' OR objected_at IS NOT NULL)",
            name="objected_whole",
        ),
        CheckConstraint(
            "(state = 'confirmed') = (confirmed_at IS NOT NULL) AND (confirmed_at IS NULL) = (confirmed_by IS NULL)"
            " AND (confirmed_at IS NULL) = (effective_on IS NULL) AND (confirmed_at IS NULL) = (answer IS NULL)",
            name="confirmed_whole",
        ),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdraw_words IS NULL)",
            name="withdrawn_whole",
        ),
        CheckConstraint("confirmed_by <> proposed_by", name="confirmed_by_another"),
        CheckConstraint("effective_on >= wanted_on", name="effective_not_before"),
        CheckConstraint("carried_out_at IS NULL OR state = 'confirmed'", name="carried_out_when_confirmed"),
        CheckConstraint("reason <> 'not_acceded' OR organisation_id IS NOT NULL", name="not_acceded_of_a_partner"),
        Index(
            "uq_agreement_termination_standing",
            "grant_id",
            unique=True,
            postgresql_where=_STANDS & column("organisation_id").is_(None),
        ),
        # One that was carried out keeps a partner that came back from no second one.
        Index(
            "uq_agreement_termination_standing_part",
            "grant_id",
            "organisation_id",
            unique=True,
            postgresql_where=_STANDS & column("organisation_id").is_not(None) & column("carried_out_at").is_(None),
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    # Whose part ends; none for the whole grant.
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"))
    state: Mapped[str]
    by_side: Mapped[str]
    reason: Mapped[str]
    words: Mapped[str] = mapped_column(info=DIGEST)
    notice_id: Mapped[UUID] = mapped_column(points_to("stored_file.id"))
    wanted_on: Mapped[date]
    # The last day on which the other side may object, itself included.
    objections_until: Mapped[date]
    proposed_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    proposed_at: Mapped[datetime]
    objection: Mapped[str | None] = mapped_column(info=DIGEST)
    objected_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    objected_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    confirmed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    confirmed_at: Mapped[datetime | None]
    effective_on: Mapped[date | None]
    withdrawn_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    withdrawn_at: Mapped[datetime | None]
    withdraw_words: Mapped[str | None] = mapped_column(info=DIGEST)
    # When the program moved the grant and its reports: in the night of its day.
    carried_out_at: Mapped[datetime | None]
