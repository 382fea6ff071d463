"""What jobs worked out of the selections of a call."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from grants.awards.models import SelectionSolve
from grants.awards.ranking import Solved
from grants.awards.states import SolveKind
from grants.core.together import Asking, ask, reader

# The questions of one state of a call: its rules, its scenarios, each with its draw, and the other aims.
KEPT_MAX = 40
# What a solver answers: the list and each other aim.
ANSWERED = tuple(kind for kind in SolveKind if kind is not SolveKind.ROBUST)


@reader
def answers_kept(call_id: UUID, kinds: Collection[SolveKind] = (SolveKind.LIST,)) -> Asking[tuple[Solved, ...]]:
    """The newest answers of a call, oldest first. They stand for a question by its hash, whoever asked it."""
    rows = yield from ask(
        select(SelectionSolve.kind, SelectionSolve.input_sha256, SelectionSolve.answer, SelectionSolve.refusal)
        .where(SelectionSolve.call_id == call_id, SelectionSolve.kind.in_([kind.value for kind in kinds]))
        .order_by(SelectionSolve.number.desc())
        .limit(KEPT_MAX)
    )
    return tuple(Solved(SolveKind(row.kind), row.input_sha256, row.answer, row.refusal) for row in reversed(rows))
