"""The files of an application."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, request

from grants.applications import queries, rules, services
from grants.applications.forms import DeedForm, FileForm
from grants.applications.services.drafting import file_roles
from grants.applications.views.frame import bp, team_context
from grants.core import files
from grants.core.permissions import Permission
from grants.web import downloads
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/files")
@requires(Permission.APPLICATION_READ)
def attached(ref: str) -> Any:
    """The attached files, what is still missing, and a form for one more."""
    return _files_page(ref, FileForm(data={"role": _wanted_role()}))


def _wanted_role() -> str:
    question = request.args.get("question")
    return f"question_{question}" if question else ""


@bp.post("/applications/<ref>/files")
@requires(Permission.APPLICATION_EDIT)
def attach(ref: str) -> Any:
    """Attach a file."""
    form = FileForm()
    if form.validate_on_submit():
        with form.refusals():
            # Whose application it is comes first: an upload nobody may make is neither looked into nor kept.
            application_id = queries.team_id_of(current_actor(), ref)
            incoming = files.receive(request.files[form.file.name])
            kept = services.attach_file(current_actor(), application_id, incoming, str(form.role.data))
            flash(f"“{kept.name}” is attached.", "success")
            return see_other(".attached", ref=ref)
    return _files_page(ref, form), 422


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


def _files_page(ref: str, form: Any) -> str:
    place = queries.workplace(current_actor(), ref)
    roles = file_roles(place.application.call)
    file_form = form if isinstance(form, FileForm) else FileForm(formdata=None)
    file_form.role.choices = choices(roles.items())
    return page(
        "applications/files.html",
        form=form,
        file_form=file_form,
        roles=roles,
        missing=[issue for issue in place.issues if issue.page is rules.Page.FILES],
        deed=DeedForm(formdata=None),
        **team_context(place),
    )
