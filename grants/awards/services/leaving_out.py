"""Letters of decision left out by name, with a reason, and taken in again; teams that are told without a letter."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.services import tell_outcome
from grants.awards.models import DecisionLetter, LetterLeftOut
from grants.awards.states import LETTER, LetterState, Outcome
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.core.text import ended
from grants.dossiers.rules import clean_text
from grants.evaluation import queries as evaluation


@act(
    "letter.leave_out",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=applications.scope_of,
    says="left the decision letter of {subject} out",
)
def leave_out(actor: Actor, application_id: UUID, reason: str) -> None:
    """Leave an application’s letter out by name, with a reason; the others can be prepared without it.

    One that could not be sent is dropped with that, so that a new one is prepared once it is taken in again.
    """
    refuse_shut(actor, application_id)
    words = clean_text(reason)
    if not words:
        raise Invalid(
            "A reason is missing.", {"reason": "Write why this letter is left out, and who tells the applicant."}
        )
    if _open_exclusion(application_id) is not None:
        raise Refused("It is left out already, with the reason beside it. Nothing was changed.")
    if _on_its_way(application_id):
        raise Refused(
            "Its letter is prepared or on its way. Have the letters returned by the second person first, then leave it out."
        )
    assert actor.user_id is not None, "only a person leaves out"
    row = LetterLeftOut(application_id=application_id, reason=words)
    row.left_out_by, row.left_out_at = actor.user_id, acts.moment()
    db.session.add(row)
    for letter in _failed(application_id):
        LETTER.move(letter, "leave_out")
        letter.failure = None
    acts.subject("application", application_id)
    acts.reason(words)


@act(
    "letter.take_in",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=applications.scope_of,
    says="took the decision letter of {subject} in again",
)
def take_in(actor: Actor, application_id: UUID) -> None:
    """Take a letter that was left out in again."""
    refuse_shut(actor, application_id)
    row = _open_exclusion(application_id)
    if row is None:
        raise Refused("It is not left out: it waits with the others. Nothing was changed.")
    row.ended_by, row.ended_at = actor.user_id, acts.moment()
    acts.subject("application", application_id)


@act(
    "letter.told_otherwise",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=applications.scope_of,
    says="recorded that the team of {subject} was told its outcome without a letter",
)
def told_otherwise(actor: Actor, application_id: UUID) -> None:
    """Record that a team was told what its left-out letter would say: from now on its pages say it, and its days to complain count."""
    refuse_shut(actor, application_id)
    row = _open_exclusion(application_id)
    if row is None:
        raise Refused("It is not left out: its letter tells its team.")
    if row.told_at is not None:
        raise Refused("It is recorded already that its team was told.")
    application = locked(Application, application_id)
    if application.state not in [outcome.value for outcome in Outcome]:
        raise Refused("It has no outcome that its team could have been told.")
    row.told_by, row.told_at = actor.user_id, acts.moment()
    tell_outcome(application_id)
    acts.subject("application", application_id)
    acts.reason(row.reason)


def end_exclusion(actor: Actor, application_id: UUID) -> str:
    """What was left out by name is told by a letter again, inside an act that changes the outcome: the reason was another’s.

    The record of that act says so, with the reason there was: the words are handed back to it, empty where nothing was left out.
    """
    row = _open_exclusion(application_id)
    if row is None:
        return ""
    row.ended_by, row.ended_at = actor.user_id, acts.moment()
    return f"Its letter was left out by name: {ended(row.reason)} That ends here, so a letter tells the new outcome."


def _open_exclusion(application_id: UUID) -> LetterLeftOut | None:
    return db.session.scalars(
        select(LetterLeftOut).where(LetterLeftOut.application_id == application_id, LetterLeftOut.ended_at.is_(None))
    ).one_or_none()


def refuse_left_out(application_id: UUID) -> None:
    """Raise :class:`Refused` for a letter that was left out by name."""
    if _open_exclusion(application_id) is not None:
        raise Refused("It is left out by name: somebody else tells its team. Take it in again first.")


def _failed(application_id: UUID) -> Sequence[DecisionLetter]:
    return db.session.scalars(
        select(DecisionLetter)
        .where(DecisionLetter.application_id == application_id, DecisionLetter.state == LetterState.FAILED.value)
        .order_by(DecisionLetter.id)
        .with_for_update()
    ).all()


def _on_its_way(application_id: UUID) -> bool:
    on_its_way = [LetterState.PREPARED.value, LetterState.QUEUED.value]
    found = select(DecisionLetter.id).where(
        DecisionLetter.application_id == application_id, DecisionLetter.state.in_(on_its_way)
    )
    return db.session.scalar(found.limit(1)) is not None


def refuse_shut(actor: Actor, application_id: UUID) -> None:
    """Raise :class:`NotFound` for whoever is in conflict with an application or takes part in it: nothing that tells of it is theirs."""
    if application_id in evaluation.undecidable(actor, [application_id]):
        raise NotFound
