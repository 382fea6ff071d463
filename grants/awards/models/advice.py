"""Runs of the advice beside the official list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import AdviceKind
from grants.core.db import NOT_AUDITED, Row, points_to, state_check


class RankingRun(Row):
    """One run of the advice beside the official list, kept as it was made. It decides nothing.

    ``result`` names applications and evaluators by id; what it says of a person is read by chairs alone.
    """

    __tablename__ = "ranking_run"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(AdviceKind, "kind"),
        CheckConstraint("(kind = 'full') = (reason = '')", name="less_has_reason"),
        CheckConstraint("octet_length(input_sha256) = 32", name="input_sha256_length"),
        CheckConstraint("places > 0", name="places_above_zero"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    kind: Mapped[str]
    # Names applications with too few sheets: for whoever may see these, and not in the history of the call.
    reason: Mapped[str] = mapped_column(info=NOT_AUDITED)
    places: Mapped[int]
    input_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    settings: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)
    applications: Mapped[int]
    evaluators: Mapped[int]
    sheets: Mapped[int]
    milliseconds: Mapped[int]
    versions: Mapped[dict[str, Any]]
