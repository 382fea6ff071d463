"""The act by which answers come from elsewhere: a filled file, or an earlier application of the same people."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from grants.applications import queries
from grants.applications.rules import TakenSection
from grants.applications.services.drafting import refuse_other_part, writable
from grants.core.acts import act
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers


@act(
    "application.take_over",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="took answers over into application {subject}",
)
def take_over(actor: Actor, application_id: UUID, given: Iterable[TakenSection]) -> tuple[str, ...]:
    """Save answers that were shown beside what stands and accepted; what others changed meanwhile is left as it is.

    Returns the keys of those questions. All of it or nothing: a section that is not this person's to write refuses.
    """
    application, _ = writable(application_id)
    assert application.dossier_id is not None, "what can be written in has answers"
    left: list[str] = []
    for section in given:
        refuse_other_part(actor, application_id, section.key)
        saved = dossiers.save_section(application.dossier_id, section.key, section.answers, section.shown)
        left += [contested.question for contested in saved.contested]
    return tuple(left)
