"""Leaving a seat: an evaluator gives it back, or the manager hands it to somebody else, who starts with an empty sheet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Invalid, NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment
from grants.evaluation.services.seats import (
    HANDED_OVER,
    refuse_decided,
    seat_by_hand,
    take_seat_by_hand,
    to_change_by_hand,
    void_seat,
)
from grants.identity import services as people
from grants.identity.queries import users_with

REASON_MISSING = "Say why, in a sentence; it is kept on the record and the programme manager reads it."


@act(
    "assignment.recuse",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="gave back a seat on {subject}",
)
def recuse(actor: Actor, application_id: UUID, reason: str) -> None:
    """Give back the own seat because one is no longer available. The sheet stays as history; the manager is told.

    Raises :class:`Refused` once the consensus is agreed. Whoever notices a conflict declares it instead.
    """
    assert actor.user_id is not None, "a person holds a seat"
    seat_id = queries.own_seat(actor.user_id, application_id)
    if seat_id is None:
        raise NotFound
    application, seat = locked(Application, application_id), locked(Assignment, seat_id)
    refuse_decided(application)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": REASON_MISSING})
    acts.reason(words)
    void_seat(seat, actor.user_id, f"{rules.GIVEN_BACK}{words}")
    _tell_managers(actor, application, words)


def _tell_managers(actor: Actor, application: Application, words: str) -> None:
    scope = Scope.of(("application", application.id), ("call", application.call_id))
    managers = [each.id for each in users_with(Permission.ASSIGNMENT_DECIDE, scope)]
    people.mail(
        managers,
        "assignment_given_back",
        "application",
        application.id,
        reference=application.reference,
        slug=calls.call_by_id(application.call_id).slug,
        name=actor.name,
        words=words,
    )


@act(
    "assignment.hand_over",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.seat_scope,
    says="handed an evaluator’s seat on {subject} to somebody else",
)
def hand_over(actor: Actor, seat_id: UUID, evaluator_id: UUID, reason: str, due_at: datetime | None = None) -> UUID:
    """Empty a seat and give it to another evaluator, by the same checks as any seat given by hand, in one deed.

    The new evaluator starts with an empty sheet; the old sheet stays in the history and counts for nothing.
    """
    seat = locked(Assignment, seat_id)
    application, words = to_change_by_hand(actor, seat.application_id, reason)
    take_seat_by_hand(application, seat, words, letter=HANDED_OVER)
    call = calls.call_by_id(application.call_id)
    return seat_by_hand(call, application, evaluator_id, words, due_at or seat.due_at)
