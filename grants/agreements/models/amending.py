"""Amendments of a signed agreement and exchanges of letters, from the draft to the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grants.agreements.states import KNOWN_AMENDMENT, AmendmentKind, AmendmentState, Side
from grants.core.db import DIGEST, Row, points_to, state_check


class Amendment(Row):
    """What a side asks to change of a signed agreement. Once sent, its terms before and after are frozen (``sent``).

    One that was sent is open for each grant at a time, beside one draft of each side. With ``by_letter`` it is an exchange of letters: in force with the consent of the
    other side, without signatures.
    """

    __tablename__ = "amendment"
    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        UniqueConstraint("reference"),
        state_check(AmendmentKind, "kind"),
        state_check(Side, "side"),
        state_check(AmendmentState),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("reason <> ''", name="has_reason"),
        CheckConstraint(
            "(sent_at IS NULL) = (sent_by IS NULL) AND (sent_at IS NULL) = (sent IS NULL)"
            " AND (sent_at IS NULL) = (reply_due_on IS NULL)",
            name="sent_whole",
        ),
        CheckConstraint("state IN ('drafted', 'withdrawn') OR sent_at IS NOT NULL", name="sent_has_time"),
        CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered_whole"),
        CheckConstraint("state NOT IN ('offered', 'in_force') OR answered_at IS NOT NULL", name="answered_has_time"),
        CheckConstraint("answered_by <> drafted_by AND answered_by <> sent_by", name="two_people"),
        CheckConstraint("(ended_at IS NULL) = (state NOT IN ('refused', 'withdrawn'))", name="ended_has_time"),
        CheckConstraint("(state = 'in_force') = (version_no IS NOT NULL)", name="in_force_is_version"),
        CheckConstraint("(version_no IS NULL) = (in_force_at IS NULL)", name="in_force_has_time"),
        CheckConstraint("state <> 'offered' OR offer_no IS NOT NULL", name="offered_has_offer"),
        CheckConstraint("reply_days BETWEEN 1 AND 365 AND opened_after_days BETWEEN 0 AND 90", name="days_in_range"),
        ForeignKeyConstraint(
            ["grant_id", "offer_no"],
            ["agreement_offer.grant_id", "agreement_offer.offer_no"],
            name="fk_amendment_grant_id_offer_no",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index(
            "uq_amendment_one_open",
            "grant_id",
            unique=True,
            postgresql_where=column("state").in_([each.value for each in KNOWN_AMENDMENT]),
        ),
        Index(
            "uq_amendment_one_draft",
            "grant_id",
            "side",
            unique=True,
            postgresql_where=column("state") == AmendmentState.DRAFTED.value,
        ),
        Index(
            "ix_amendment_reply_due_on",
            "reply_due_on",
            postgresql_where=column("state") == AmendmentState.SENT.value,
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(points_to("grant_agreement.id"))
    number: Mapped[int]
    reference: Mapped[str]
    kind: Mapped[str]
    by_letter: Mapped[bool]
    # Which side asks for it.
    side: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(info=DIGEST)
    change: Mapped[dict[str, Any]] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    drafted_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    drafted_at: Mapped[datetime]
    # Why, and the terms before and after, as they were sent.
    sent: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=DIGEST)
    sent_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    sent_at: Mapped[datetime | None]
    # The rules of the call as it was sent, and the last day to answer, which the opening brings nearer.
    reply_days: Mapped[int | None]
    opened_after_days: Mapped[int | None]
    reply_due_on: Mapped[date | None]
    opened_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    opened_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(info=DIGEST)
    offer_no: Mapped[int | None]
    # Refused, withdrawn or taken back; nobody did it where nobody answered in time.
    ended_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    ended_at: Mapped[datetime | None]
    end_words: Mapped[str | None] = mapped_column(info=DIGEST)
    version_no: Mapped[int | None]
    in_force_at: Mapped[datetime | None]
