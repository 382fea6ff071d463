"""Acts of the panel that move the score of an application: one person proposes, another confirms or returns."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls import queries as calls
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import ScoreShift
from grants.evaluation.rules import ShiftInput
from grants.evaluation.services.scored import tell_panel
from grants.evaluation.states import SHIFT, ShiftState


@act(
    "score_shift.propose",
    needs=Permission.SELECTION_DECIDE,
    scope=queries.application_scope,
    says="proposed to move the score of {subject}",
)
def propose_shift(actor: Actor, application_id: UUID, values: ShiftInput) -> None:
    """Propose to move the score of an application, within the bound of its call; it counts once another confirms it."""
    assert actor.user_id is not None
    application = _open_to(actor, application_id)
    checked = rules.checked_shift(values, calls.call_by_id(application.call_id).content.scoring)
    if _standing(application_id, ShiftState.PROPOSED) is not None:
        raise Refused("A move of this score waits for a second person. Have it confirmed or returned first.")
    standing = _standing(application_id, ShiftState.CONFIRMED)
    # What somebody with a conflict decided is decided anew, with whatever result.
    anew = standing is not None and _tainted(standing)
    if not anew and checked.shift_half == (standing.shift_half if standing else 0):
        raise Invalid("Nothing was stored.", {"shift": "The score is moved by just that already."})
    db.session.add(
        ScoreShift(
            application_id=application_id,
            state=ShiftState.PROPOSED.value,
            shift_half=checked.shift_half,
            reason=checked.reason,
            proposed_by=actor.user_id,
            proposed_at=acts.moment(),
        )
    )
    acts.reason(checked.reason)


@act(
    "score_shift.confirm",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.shift_scope,
    says="confirmed the move of the score of {subject}",
)
def confirm_shift(actor: Actor, shift_id: UUID, version: int | None = None) -> None:
    """Confirm a move another person proposed; the one that stood before is replaced."""
    row = _to_decide(actor, shift_id, version)
    if _tainted(row):
        raise Refused(
            "Who proposed this move has a conflict of interest with the application. Return it; propose it anew."
        )
    # The bound is that of the call as it is now.
    content = calls.call_by_id(locked(Application, row.application_id).call_id).content
    rules.checked_shift(ShiftInput(row.shift_half, row.reason), content.scoring)
    standing = _standing(row.application_id, ShiftState.CONFIRMED)
    if standing is not None:
        SHIFT.move(standing, "replace")
        db.session.flush()
    SHIFT.move(row, "confirm")
    row.decided_by, row.decided_at = actor.user_id, acts.moment()
    tell_panel(
        actor.user_id, row.application_id, f"moved by {rules.shift_words(row.shift_half)}",
        f"moved by {rules.shift_words(standing.shift_half)}" if standing is not None else "not moved", row.reason,
    )  # fmt: skip


@act(
    "score_shift.return",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.shift_scope,
    says="returned the move of the score of {subject}",
)
def return_shift(actor: Actor, shift_id: UUID, reason: str, version: int | None = None) -> None:
    """Give a proposed move back with a reason; the score stays as it stands."""
    row = _to_decide(actor, shift_id, version)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"return_reason": "Say why the score is not moved."})
    SHIFT.move(row, "return")
    row.decided_by, row.decided_at, row.return_reason = actor.user_id, acts.moment(), words
    acts.reason(words)


def _open_to(actor: Actor, application_id: UUID) -> Application:
    """The application, locked and under evaluation, for somebody free of conflict who does not assess it.

    Also where its evaluation is repeated and the bar ended with the results.
    """
    faults.point("conflict")
    if queries.undecidable(actor, [application_id]):
        raise NotFound
    queries.refuse_own_seat(actor, application_id)
    application = locked(Application, application_id)
    if application.state != ApplicationState.UNDER_EVALUATION.value:
        raise Refused(f"{application.reference} is not under evaluation; its score is not moved. Nothing was changed.")
    return application


def _to_decide(actor: Actor, shift_id: UUID, version: int | None) -> ScoreShift:
    row = locked(ScoreShift, shift_id)
    _open_to(actor, row.application_id)
    check_version(row, version)
    faults.point("four_eyes")
    if actor.user_id is None or row.proposed_by == actor.user_id:
        raise Refused("You proposed this move; another person must confirm or return it.")
    return row


def _tainted(row: ScoreShift) -> bool:
    """Whether one of those who stand behind a move has a conflict with the application, as came to light since."""
    faults.point("conflict")
    people = [user_id for user_id in (row.proposed_by, row.decided_by) if user_id is not None]
    return any(queries.has_conflict(user_id, row.application_id) for user_id in people)


def _standing(application_id: UUID, state: ShiftState) -> ScoreShift | None:
    return db.session.scalars(
        select(ScoreShift)
        .where(ScoreShift.application_id == application_id, ScoreShift.state == state.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
