"""Teams of a call are told their outcomes; two people publish its results, whoever was told by a letter or not."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grants.applications.services import tell_outcome
from grants.awards import services
from grants.calls.rules import ResultsInput
from grants.core.acts import arranging
from grants.core.permissions import Actor
from tests.evaluation.scene import Scene

NO_LETTERS = "Everybody was told by telephone."


def published_by(first: Actor, second: Actor, call_id: UUID, given: ResultsInput) -> datetime:
    """One proposes, the other publishes."""
    return services.publish_results(second, services.propose_results(first, call_id, given, without_letters=NO_LETTERS))


def publish(scene: Scene, given: ResultsInput, *, second: str = "officer") -> datetime:
    """The manager proposes, the officer publishes."""
    made = services.propose_results(scene.actor("manager"), scene.call_id, given, without_letters=NO_LETTERS)
    return services.publish_results(scene.actor(second), made)


def tell_all(scene: Scene) -> None:
    """Every team knows its outcome, as its letter would have told it."""
    with arranging():
        for application_id in scene.application_ids:
            tell_outcome(application_id)
