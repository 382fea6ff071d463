"""Meetings of the panel of a call: who belongs to one, its agenda, the log of what happened, its minutes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import Happened, MeetingState, PanelRole, Vote
from grants.core.db import DERIVED, DIGEST, Row, points_to, state_check


class PanelMeeting(Row):
    """A meeting of the panel of a call. What happened in it is told by its events, numbered without gap."""

    __tablename__ = "panel_meeting"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        UniqueConstraint("slug"),
        state_check(MeetingState),
        CheckConstraint("quorum >= 1", name="quorum_of_somebody"),
        CheckConstraint("minutes_an_item >= 1", name="minutes_of_an_item"),
        CheckConstraint("current_id IS NULL OR state IN ('running', 'paused')", name="item_while_it_meets"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    slug: Mapped[str]
    title: Mapped[str]
    state: Mapped[str]
    starts_at: Mapped[datetime]
    quorum: Mapped[int]
    minutes_an_item: Mapped[int]
    # The item that is open. No foreign key: items point to their meeting already.
    current_id: Mapped[UUID | None]
    # How many events there are: what every page in the room asks for. A vote alone makes no form of the chair stale.
    last_number: Mapped[int] = mapped_column(info=DERIVED)


class PanelMember(Row):
    """Somebody of one meeting, and what they are there."""

    __tablename__ = "panel_member"
    __table_args__ = (
        UniqueConstraint("meeting_id", "user_id"),
        state_check(PanelRole, "role"),
        Index("uq_panel_member_one_chair", "meeting_id", unique=True, postgresql_where="role = 'chair'"),
        Index("uq_panel_member_one_deputy", "meeting_id", unique=True, postgresql_where="role = 'deputy'"),
    )

    meeting_id: Mapped[UUID] = mapped_column(points_to("panel_meeting.id"))
    user_id: Mapped[UUID] = mapped_column(points_to("user_account.id"), index=True)
    role: Mapped[str]


class PanelItem(Row):
    """One application on the agenda of a meeting."""

    __tablename__ = "panel_item"
    __table_args__ = (
        UniqueConstraint("meeting_id", "application_id"),
        UniqueConstraint("meeting_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint("position >= 1", name="position_from_one"),
    )

    meeting_id: Mapped[UUID] = mapped_column(points_to("panel_meeting.id"))
    application_id: Mapped[UUID] = mapped_column(points_to("application.id"), index=True)
    position: Mapped[int]


class PanelEvent(Row):
    """One thing that happened in a meeting: never changed, never removed."""

    __tablename__ = "panel_event"
    __table_args__ = (
        UniqueConstraint("meeting_id", "number"),
        state_check(Happened, "kind"),
        state_check(Vote, "vote"),
        CheckConstraint("(kind = 'voted') = (vote IS NOT NULL)", name="vote_says_how"),
        CheckConstraint(
            "(kind IN ('proposed', 'voted', 'counted')) = (proposal IS NOT NULL)", name="vote_is_on_a_proposal"
        ),
        CheckConstraint(
            "kind NOT IN ('opened', 'closed', 'stepped_out', 'called_back', 'proposed', 'voted', 'counted', 'reordered',"
            " 'recommended', 'remarked', 'scored') OR item_id IS NOT NULL",
            name="about_an_item",
        ),
        CheckConstraint("kind NOT IN ('reordered', 'recommended', 'scored') OR reason <> ''", name="change_has_reason"),
        CheckConstraint("(kind = 'reordered') = (other_item_id IS NOT NULL)", name="order_is_of_two"),
        # One vote each: it is cast by name and stands.
        Index(
            "uq_panel_event_one_vote",
            "meeting_id",
            "proposal",
            "person_id",
            unique=True,
            postgresql_where="kind = 'voted'",
        ),
    )

    meeting_id: Mapped[UUID] = mapped_column(points_to("panel_meeting.id"))
    number: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    # Whom it concerns: who arrived, who stepped out, who voted.
    person_id: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    item_id: Mapped[UUID | None] = mapped_column(points_to("panel_item.id"), index=True)
    other_item_id: Mapped[UUID | None] = mapped_column(points_to("panel_item.id"))
    proposal: Mapped[int | None]
    vote: Mapped[str | None]
    text: Mapped[str] = mapped_column(info=DIGEST)
    before: Mapped[str] = mapped_column(info=DIGEST)
    reason: Mapped[str] = mapped_column(info=DIGEST)


class PanelMinutes(Row):
    """One version of the minutes, frozen with its hash; signed by who led the meeting and by a second person of it."""

    __tablename__ = "panel_minutes"
    __table_args__ = (
        UniqueConstraint("meeting_id", "number"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
        CheckConstraint("(chair_signed_by IS NULL) = (chair_signed_at IS NULL)", name="chair_signed_has_time"),
        CheckConstraint("(second_signed_by IS NULL) = (second_signed_at IS NULL)", name="second_signed_has_time"),
        CheckConstraint("chair_signed_by <> second_signed_by", name="signed_by_two"),
    )

    meeting_id: Mapped[UUID] = mapped_column(points_to("panel_meeting.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    frozen_by: Mapped[UUID] = mapped_column(points_to("user_account.id"))
    chair_signed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    chair_signed_at: Mapped[datetime | None]
    second_signed_by: Mapped[UUID | None] = mapped_column(points_to("user_account.id"))
    second_signed_at: Mapped[datetime | None]
