"""Leaving a seat: an evaluator gives it back, or the manager hands it to somebody else, who starts with an empty sheet."""

from __future__ import annotations

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
    refuse_decided,
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
