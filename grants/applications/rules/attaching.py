"""Where files go in an application, and what each may be: said on the page before one is chosen, checked when it comes."""

from __future__ import annotations

from dataclasses import dataclass

from grants.applications.rules.issues import attachment_role
from grants.calls.rules import CallContent
from grants.core.errors import Refused
from grants.core.file_types import DOCUMENTS, MEDIA, FileLimits, megabytes
from grants.dossiers.rules import QuestionKind

QUESTION_PREFIX = "question_"
OTHER_ROLE = "other"
# Of one application, whatever they are.
FILES_MAX = 50


@dataclass(frozen=True, slots=True)
class FilePlace:
    """One place of an application for files: an attachment of the call, a question that asks for files, or any other."""

    role: str
    label: str
    limits: FileLimits
    required: bool = False
    hint: str = ""


def file_places(content: CallContent, bytes_max: int) -> tuple[FilePlace, ...]:
    """Every place for files of an application to this call; ``bytes_max`` is what the installation takes at most."""
    any_document = FileLimits(DOCUMENTS, bytes_max)
    attachments = [
        FilePlace(attachment_role(wanted.key), wanted.label, wanted.limits(bytes_max), wanted.required, wanted.hint)
        for wanted in content.attachments
    ]
    questions = [
        FilePlace(f"{QUESTION_PREFIX}{each.key}", each.label, each.file_limits(bytes_max), each.required, each.hint)
        for section in content.definition.sections
        for each in section.questions
        if each.kind is QuestionKind.FILE
    ]
    return (*attachments, *questions, FilePlace(OTHER_ROLE, "Other files", any_document))


def refuse_beyond(place: FilePlace, *, name: str, media_type: str, size_bytes: int) -> None:
    """Raises :class:`Refused` for a file of a type or size its place does not take, whatever page sent it."""
    if media_type not in {MEDIA[kind] for kind in place.limits.types}:
        raise Refused(f"“{name}” cannot be taken as “{place.label}”. It takes {place.limits.words}.")
    if size_bytes > place.limits.bytes_max:
        raise Refused(
            f"“{name}” has {megabytes(size_bytes)}; the limit for “{place.label}” is "
            f"{megabytes(place.limits.bytes_max)}. Make it smaller, or split it."
        )
