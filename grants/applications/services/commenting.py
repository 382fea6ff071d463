"""Acts on comments: what the team says about a question to each other, beside the application and never in it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from grants.applications import queries
from grants.applications.models import Application
from grants.applications.rules import CommentInput
from grants.applications.services.drafting import refuse_before_acceptance, writable
from grants.calls.rules import CallView
from grants.core.acts import act
from grants.core.errors import Invalid
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers
from grants.dossiers.rules import checked_comment
from grants.identity import services as people


@act(
    "application.comment",
    needs=Permission.APPLICATION_COMMENT,
    scope=queries.scope_of,
    says="commented on a question of application {subject}",
)
def comment(actor: Actor, application_id: UUID, section_key: str, question_key: str, given: CommentInput) -> UUID:
    """Begin a conversation about one question; who is named is told by mail. Returns the thread's id."""
    application, call = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    assert application.dossier_id is not None, "what can be written in has answers"
    thread_id = dossiers.comment(application.dossier_id, section_key, question_key, given.text)
    _tell(actor, application, call, section_key, given)
    return thread_id


@act(
    "application.reply",
    needs=Permission.APPLICATION_COMMENT,
    scope=queries.scope_of,
    says="replied to a comment in application {subject}",
)
def reply(actor: Actor, application_id: UUID, section_key: str, thread_id: UUID, given: CommentInput) -> None:
    """Say something more; a resolved conversation is open again by it."""
    application, call = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    assert application.dossier_id is not None, "what can be written in has answers"
    dossiers.reply(application.dossier_id, thread_id, given.text)
    _tell(actor, application, call, section_key, given)


@act(
    "application.resolve_comment",
    needs=Permission.APPLICATION_COMMENT,
    scope=queries.scope_of,
    says="resolved a comment in application {subject}",
)
def resolve_comment(actor: Actor, application_id: UUID, thread_id: UUID) -> None:
    """Say that a conversation is settled."""
    application, _ = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    assert application.dossier_id is not None, "what can be written in has answers"
    dossiers.resolve(application.dossier_id, thread_id)


@act(
    "application.reopen_comment",
    needs=Permission.APPLICATION_COMMENT,
    scope=queries.scope_of,
    says="opened a comment in application {subject} again",
)
def reopen_comment(actor: Actor, application_id: UUID, thread_id: UUID) -> None:
    """Say that it is not settled after all."""
    application, _ = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    assert application.dossier_id is not None, "what can be written in has answers"
    dossiers.reopen(application.dossier_id, thread_id)


def _tell(actor: Actor, application: Application, call: CallView, section_key: str, given: CommentInput) -> None:
    people.mail(
        _named(application.id, given.tell) - {actor.user_id},
        "application_comment",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        person_name=actor.name,
        text=checked_comment(given.text),
        key=section_key,
        section=next(
            (section.title for section in call.content.definition.sections if section.key == section_key), section_key
        ),
    )


def _named(application_id: UUID, wanted: Iterable[UUID]) -> set[UUID]:
    """Only people of the team are told; raises :class:`Invalid` for anybody else."""
    named = set(wanted)
    team = {member.user_id for member in queries.team(queries.view_by_id(application_id))} if named else set()
    if named - team:
        raise Invalid("The comment was not sent.", {"tell": "Choose among the people of the team."})
    return named
