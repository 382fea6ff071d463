"""What a job worked out of a selection with a solver: kept as it was made, found again by the hash of what it was made from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.awards.states import SolveKind
from grants.core.db import NOT_AUDITED, Row, points_to, state_check


class SelectionSolve(Row):
    """The answer to one question, or why none was proven. It decides nothing; ``answer`` names applications by id."""

    __tablename__ = "selection_solve"
    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        state_check(SolveKind, "kind"),
        CheckConstraint("octet_length(input_sha256) = 32", name="input_sha256_length"),
        CheckConstraint("(refusal = '') = (answer <> '{}'::jsonb)", name="answer_or_refusal"),
    )

    call_id: Mapped[UUID] = mapped_column(points_to("call.id"))
    number: Mapped[int]
    kind: Mapped[str]
    input_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    # For whoever may see the whole list, and not in the history of the call.
    answer: Mapped[dict[str, Any]] = mapped_column(info=NOT_AUDITED)
    refusal: Mapped[str]
