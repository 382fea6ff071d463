"""The files of an application: what may be attached where, sending several at once, newer versions, downloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import current_app, flash, jsonify, request
from werkzeug.datastructures import FileStorage

from grants.applications import queries, rules, services
from grants.applications.forms import DeedForm, FileForm
from grants.applications.rules import FilePlace
from grants.applications.views.frame import bp, team_context
from grants.core import files
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.file_types import megabytes
from grants.core.files import FileView
from grants.core.permissions import Permission
from grants.core.scanning import Clearance
from grants.web import downloads, paging
from grants.web.routing import current_actor, page, requires, said_in_json, see_other, wants_json

# So many of the largest files come in one form where no script sends them one by one (``grants.app.UPLOADS``).
FILES_AT_ONCE = 4


@bp.get("/applications/<ref>/files")
@requires(Permission.APPLICATION_READ)
def attached(ref: str) -> Any:
    """Every place for files with its limits and what stands there, and a way to attach more."""
    return _files_page(ref)


@bp.post("/applications/<ref>/files")
@requires(Permission.APPLICATION_EDIT)
def attach(ref: str) -> Any:
    """Attach files to one place: each that is right is kept, each that is not comes back with its sentence."""
    form = FileForm()
    # Whose application it is comes first: an upload nobody may make is neither looked into nor kept.
    application_id = queries.team_id_of(current_actor(), ref)
    if form.validate_on_submit():
        place = _place_of(ref, str(form.role.data))
        for upload in request.files.getlist(form.file.name):
            with _said_beside(form.file):
                incoming = _received(upload, place)
                kept = services.attach_file(current_actor(), application_id, incoming, str(form.role.data))
                flash(_said_of(kept, f"“{kept.name}” is attached."), "success")
    return _answer(ref, form)


@bp.post("/applications/<ref>/files/replace")
@requires(Permission.APPLICATION_EDIT)
def replace(ref: str) -> Any:
    """Put a newer version in the place of a file; the older one is kept."""
    form = FileForm()
    application_id = queries.team_id_of(current_actor(), ref)
    if form.validate_on_submit():
        with _said_beside(form.file):
            replaced = form.thing_id() or UUID(int=0)
            # The limits are those of the place where the file stands, whatever the form says of it.
            standing = next(
                (file.role for file in queries.workplace(current_actor(), ref).files if file.id == replaced), ""
            )
            incoming = _received(request.files.getlist(form.file.name)[0], _place_of(ref, standing))
            kept = services.replace_file(current_actor(), application_id, replaced, incoming)
            flash(_said_of(kept, f"“{kept.name}” is version {kept.version_no} now; the older one is kept."), "success")
    return _answer(ref, form)


@contextmanager
def _said_beside(field: Any) -> Iterator[None]:
    """What is refused is said at the field where the file was chosen, and the next file has its turn."""
    try:
        yield
    except (Invalid, Refused) as error:
        field.errors = [*field.errors, str(error)]


def _place_of(ref: str, role: str) -> FilePlace | None:
    return services.places_of(queries.view(current_actor(), ref).call).get(role)


def _received(upload: FileStorage, place: FilePlace | None) -> files.Incoming:
    if place is None:
        return files.receive(upload)
    limits = place.limits
    return files.receive(upload, allowed=limits.types, bytes_max=limits.bytes_max, pages_max=limits.pages_max)


def _said_of(file: FileView, sentence: str) -> str:
    if file.clearance is Clearance.WAITING:
        return f"{sentence} The virus scanner looks at it now; until it has, nobody can open it."
    return sentence


def _answer(ref: str, form: FileForm) -> Any:
    """To a script one sentence; to a browser the page, again where something of it was refused."""
    wrong = [sentence for sentence, _ in form.what_is_wrong()]
    if wants_json():
        return said_in_json(422, " ".join(wrong)) if wrong else jsonify(ok=True)
    return (_files_page(ref, form), 422) if wrong else see_other(".attached", ref=ref)


@bp.post("/applications/<ref>/files/remove")
@requires(Permission.APPLICATION_EDIT)
def remove_file(ref: str) -> Any:
    """Take a file out of the draft."""
    form = DeedForm()
    with form.refusals():
        services.remove_file(current_actor(), queries.team_id_of(current_actor(), ref), form.thing_id() or UUID(int=0))
        flash("The file was taken out. Versions you have sent keep it.", "success")
        return see_other(".attached", ref=ref)
    return _files_page(ref, form), 422


@bp.get("/applications/<ref>/files/<sha256>")
@requires(Permission.FILE_READ)
def download(ref: str, sha256: str) -> Any:
    """One file, by its content."""
    actor = current_actor()
    return downloads.send(services.download(actor, queries.id_of(actor, ref), sha256))


@bp.get("/applications/<ref>/files/<sha256>/versions")
@requires(Permission.APPLICATION_READ)
def file_versions(ref: str, sha256: str) -> Any:
    """Every version a file of the draft replaced, newest first."""
    place = queries.workplace(current_actor(), ref)
    file = next((each for each in place.files if each.sha256 == sha256), None)
    if file is None:
        raise NotFound
    return page(
        "applications/file_versions.html", file=file, older=files.older(file.id, paging.asked()), **team_context(place)
    )


def _files_page(ref: str, form: Any = None) -> str:
    place = queries.workplace(current_actor(), ref)
    places = services.places_of(place.application.call)
    chains = files.chains(place.files)
    # What the call does not ask for any more is still shown, among the others.
    roles = [chain[0].role if chain[0].role in places else rules.OTHER_ROLE for chain in chains]
    refused = _refused_in(form, places) if isinstance(form, FileForm) else ""
    return page(
        "applications/files.html",
        form=form,
        refused=refused,
        fresh=FileForm(formdata=None),
        deed=DeedForm(formdata=None),
        places=places.values(),
        standing={role: [chain for chain, at in zip(chains, roles, strict=True) if at == role] for role in places},
        together_max=megabytes(FILES_AT_ONCE * current_app.config["UPLOAD_BYTES_MAX"]),
        **team_context(place),
    )


def _refused_in(form: FileForm, places: Mapping[str, FilePlace]) -> str:
    """The place whose form comes back, where its control then stands."""
    role = str(form.role.data) if form.role.data in places else rules.OTHER_ROLE
    form.file.id = f"file-{role}"
    return role
