"""Acts on the files of a draft: attached, replaced by a newer version, taken out."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import current_app

from grants.applications import queries, rules
from grants.applications.models import Application
from grants.applications.services.drafting import refuse_before_acceptance, refuse_other_part, writable
from grants.calls.rules import CallView
from grants.core import files
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers

KIND = "application"


def places_of(call: CallView) -> dict[str, rules.FilePlace]:
    """By its role, every place for files of an application to this call, with the limits of this installation."""
    return {place.role: place for place in rules.file_places(call.content, current_app.config["UPLOAD_BYTES_MAX"])}


@act(
    "application.attach_file",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="attached a file to application {subject}",
)
def attach_file(actor: Actor, application_id: UUID, incoming: Incoming, role: str) -> FileView:
    """Keep a received file as an attachment of the call, as the answer to a file question, or as another file.

    A name that stands there already gets its next version; the same bytes under it again are nothing new.
    """
    application, call = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    place = places_of(call).get(role)
    if place is None:
        raise Invalid("Choose what the file is.", {"role": "Choose what the file is."})
    _refuse_file_of_others(actor, application_id, call, role)
    _refuse_beyond(place, incoming)
    standing = files.listed(KIND, application_id)
    same = next((file for file in standing if (file.role, file.name) == (role, incoming.name)), None)
    if same is not None and same.sha256 == incoming.sha256:
        return same
    if same is None:
        _refuse_too_many(standing)
    kept = files.keep(incoming, kind=KIND, object_id=application_id, role=role)
    _answer_with_files(application, role)
    return kept


@act(
    "application.replace_file",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="replaced a file of application {subject}",
)
def replace_file(actor: Actor, application_id: UUID, file_id: UUID, incoming: Incoming) -> FileView:
    """Put a newer version, under whatever name, in the place of a file that stands; the older one is kept.

    Raises :class:`Conflict` when somebody else replaced it or took it out meanwhile.
    """
    application, call = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    standing = _one(files.listed(KIND, application_id), file_id)
    if standing is None:
        raise Conflict(
            "Somebody replaced this file or took it out while you were choosing. Nothing of yours was stored: "
            "reload the page to see what stands now."
        )
    _refuse_file_of_others(actor, application_id, call, standing.role)
    place = places_of(call).get(standing.role)
    if place is None:
        raise Refused("The call does not ask for this file any more. Take it out, and attach yours where it belongs.")
    _refuse_beyond(place, incoming)
    if standing.sha256 == incoming.sha256:
        return standing
    kept = files.keep(incoming, kind=KIND, object_id=application_id, role=standing.role, replaces=file_id)
    _answer_with_files(application, standing.role)
    return kept


@act(
    "application.remove_file",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="removed a file from application {subject}",
)
def remove_file(actor: Actor, application_id: UUID, file_id: UUID) -> None:
    """Take a file out of the draft; versions already submitted keep it."""
    application, call = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    found = _one(files.listed(KIND, application_id), file_id)
    if found is None:
        raise NotFound
    _refuse_file_of_others(actor, application_id, call, found.role)
    files.remove(file_id)
    # A question that is not asked any more has no answer to keep in step.
    if found.role in places_of(call):
        _answer_with_files(application, found.role)


def _refuse_file_of_others(actor: Actor, application_id: UUID, call: CallView, role: str) -> None:
    """A file that answers a question is of the section it stands in."""
    if not role.startswith(rules.QUESTION_PREFIX):
        return
    asked = role.removeprefix(rules.QUESTION_PREFIX)
    for section in call.content.definition.sections:
        if asked in {question.key for question in section.questions}:
            refuse_other_part(actor, application_id, section.key)


def _one(standing: Sequence[FileView], file_id: UUID) -> FileView | None:
    return next((file for file in standing if file.id == file_id), None)


def _refuse_beyond(place: rules.FilePlace, incoming: Incoming) -> None:
    rules.refuse_beyond(place, name=incoming.name, media_type=incoming.media_type, size_bytes=incoming.size_bytes)


def _refuse_too_many(standing: Sequence[FileView]) -> None:
    if len(standing) >= rules.FILES_MAX:
        raise Refused(
            f"The application has {len(standing)} files; the limit is {rules.FILES_MAX}. "
            "Take one out before you attach another."
        )


def _answer_with_files(application: Application, role: str) -> None:
    """The answer to a question that asks for files is which of them stand there."""
    if not role.startswith(rules.QUESTION_PREFIX):
        return
    assert application.dossier_id is not None, "what can be written in has answers"
    db.session.flush()
    standing = [file.id for file in files.listed(KIND, application.id, role)]
    dossiers.attach_files(application.dossier_id, role.removeprefix(rules.QUESTION_PREFIX), standing)
