"""Acts that change nothing: a confidential file is opened, on the record."""

from __future__ import annotations

from uuid import UUID

from grants.applications import queries
from grants.core import acts, files
from grants.core.acts import act
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission


@act(
    "application.download",
    needs=Permission.FILE_READ,
    scope=queries.lies_in,
    says="opened a file of application {subject}",
)
def download(actor: Actor, application_id: UUID, sha256: str) -> FileView:
    """Hand an attached file out, found by its content; who took it is kept."""
    _note(application_id, f"file {sha256[:12]}")
    return queries.file_of(actor, application_id, sha256)


@act(
    "application.download_assigned",
    needs=Permission.APPLICATION_READ_ASSIGNED,
    scope=queries.lies_in,
    says="opened a file of application {subject} to assess it",
)
def download_assigned(actor: Actor, application_id: UUID, sha256: str) -> FileView:
    """Hand a submitted file out to an evaluator of this application; who took it is kept."""
    _note(application_id, f"file {sha256[:12]}")
    for submitted in queries.submitted_content(application_id).files:
        if submitted.sha256 == sha256:
            return files.view(submitted.file_id)
    for answered in queries.shared_clarifications(application_id):
        for file in answered.files:
            if file.sha256 == sha256:
                return files.view(file.file_id)
    raise NotFound


@act(
    "application.download_receipt",
    needs=Permission.APPLICATION_READ,
    scope=queries.lies_in,
    says="opened a receipt of application {subject}",
)
def download_receipt(actor: Actor, application_id: UUID, number: int) -> FileView:
    """Hand the receipt of one submitted version out, once it is made; it holds the whole application."""
    _note(application_id, f"receipt of version {number}")
    for version in queries.submissions(actor, queries.view_by_id(application_id).reference):
        if version.number == number:
            for file in queries.receipt_files(version.id):
                return file
    raise NotFound


def _note(application_id: UUID, what: str) -> None:
    acts.subject("application", application_id)
    acts.reason(what)
