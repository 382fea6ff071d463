"""What the panel sees when it moves the score of an application."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import not_, select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls import queries as calls
from grants.core.db import among
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation.models import ScoreShift
from grants.evaluation.queries.access import clear_for, in_conflict, within
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.queries.official import official_scores
from grants.evaluation.queries.scoring import scores_now
from grants.evaluation.rules import ShiftPage, ShiftView, shift_words
from grants.evaluation.states import ShiftState
from grants.identity.models import User


@reader
def shift_page(actor: Actor, reference: str) -> Asking[ShiftPage]:
    """The score of one application and the moves of it, for somebody of the panel who is free of conflict; four statements.

    :class:`NotFound` where the call knows no such move.
    """
    seen = [within(actor, Permission.SELECTION_DECIDE, Permission.SELECTION_CONFIRM), not_(scores_now(actor))]
    seen.append(not_(in_conflict(actor.user_id)))
    if actor.can(Permission.CONFLICT_DECLARE):
        seen.append(clear_for(actor.user_id))
    found = yield from ask(
        select(Application.id, Application.reference, Application.title, Application.call_id, Application.state).where(
            Application.reference == reference, *seen
        )
    )
    if not found:
        raise NotFound
    application = found[0]
    about: list[Asking[Any]] = [
        calls.call_by_id.asking(application.call_id), cities_of.asking([application.id]), _shifts(application.id)
    ]  # fmt: skip
    call, cities, shifts = yield from side_by_side(about)
    content = call.content
    if not content.scoring.board_shift_half and not shifts:
        raise NotFound
    official = (yield from official_scores.asking(content, [application.id]))[application.id]
    scope = Scope.of(("application", application.id), ("call", application.call_id))
    open_still = application.state == ApplicationState.UNDER_EVALUATION.value
    waiting, proposed_by = next(((one, by) for one, by in shifts if one.state is ShiftState.PROPOSED), (None, None))
    standing = next((one for one, _ in shifts if one.state is ShiftState.CONFIRMED), None)
    return ShiftPage(
        head_of(application, cities.get(application.id, ""), call),
        content.scoring.board_shift_half,
        official.basis,
        official.missing,
        standing,
        waiting,
        tuple(one for one, _ in shifts if one not in (standing, waiting)),
        open_still and waiting is None and actor.may(Permission.SELECTION_DECIDE, scope),
        open_still
        and waiting is not None
        and proposed_by != actor.user_id
        and actor.may(Permission.SELECTION_CONFIRM, scope),
        open_still,
    )


@reader
def waiting_shifts(call_id: UUID) -> Asking[tuple[tuple[str, str], ...]]:
    """The moves of scores of a call that wait for a second person, as reference and points."""
    rows = yield from ask(
        select(Application.reference, ScoreShift.shift_half)
        .join(Application, Application.id == ScoreShift.application_id)
        .where(Application.call_id == call_id, ScoreShift.state == ShiftState.PROPOSED.value)
        .order_by(Application.reference)
    )
    return tuple((reference, shift_words(half)) for reference, half in rows)


@reader
def reasons_of_shifts(application_ids: Collection[UUID]) -> Asking[dict[UUID, str]]:
    """Why the panel moved the score of each of these applications, where it did and a second person stood behind it."""
    rows = yield from ask(
        select(ScoreShift.application_id, ScoreShift.reason).where(
            among(ScoreShift.application_id, application_ids), ScoreShift.state == ShiftState.CONFIRMED.value
        )
    )
    return {row.application_id: row.reason for row in rows}


def _shifts(application_id: Any) -> Asking[list[tuple[ShiftView, Any]]]:
    """The moves of the score of an application with who proposed each, newest first."""
    decider = User.__table__.alias("decider")
    rows = yield from ask(
        select(
            *(ScoreShift.id, ScoreShift.version, ScoreShift.shift_half, ScoreShift.reason, ScoreShift.state),
            *(User.name.label("proposer"), ScoreShift.proposed_by, ScoreShift.proposed_at),
            *(decider.c.name.label("decider"), ScoreShift.return_reason),
        )
        .join(User, User.id == ScoreShift.proposed_by)
        .outerjoin(decider, decider.c.id == ScoreShift.decided_by)
        .where(ScoreShift.application_id == application_id)
        .order_by(ScoreShift.proposed_at.desc(), ScoreShift.id)
        .limit(SHIFTS_MAX)
    )
    return [
        (
            ShiftView(
                row.id, row.version, row.shift_half, row.reason, ShiftState(row.state), row.proposer, row.proposed_at,
                row.decider or "", row.return_reason or "",
            ),
            row.proposed_by,
        )
        for row in rows
    ]  # fmt: skip


SHIFTS_MAX = 50
