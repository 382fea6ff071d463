"""Files of lists too long for a page: asking for one, watching it being made, taking it, removing it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import flash, redirect, request, url_for

from grants.applications import queries, services
from grants.applications.forms import DeedForm
from grants.applications.rules import chips
from grants.applications.rules.exporting import KEPT_FOR, ListForm, made_at_once
from grants.applications.rules.saving import spelled
from grants.applications.views.frame import bp
from grants.applications.views.lists import address_of, cover_asked, understood
from grants.core.permissions import Permission
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other

_MADE_AT_ONCE = {ListForm.CSV: ".export", ListForm.XLSX: ".export_workbook"}

NUMBER = "/applications/files/<int(max=2147483647):number>"


@bp.route("/applications/files/new", methods=["GET", "POST"])
@requires(Permission.APPLICATION_READ)
def ask_list_file() -> Any:
    """What the file would be, and the button that asks for it; ``as`` in the address says as what."""
    actor, form, listing = current_actor(), DeedForm(), understood()
    wanted = ListForm.XLSX if request.args.get("as") == ListForm.XLSX.value else ListForm.CSV
    rows = queries.rows_of_list(actor, listing, most=wanted.rows_max)
    at_once = (
        f"{url_for(_MADE_AT_ONCE[wanted])}?{urlencode([*listing.pairs, *cover_asked()])}" if made_at_once(rows) else ""
    )
    if form.validate_on_submit():
        if at_once:
            return redirect(at_once, 303)
        with form.refusals():
            number = services.ask_list_file(actor, spelled(listing), wanted, bare=bool(cover_asked()))
            return see_other(".show_list_file", number=number)
    shown = page(
        "applications/list_file_new.html",
        form=form,
        listing=listing,
        wanted=wanted,
        chips=chips(listing, dict(queries.calls_seen(actor))),
        address_of=address_of,
        words=wanted.words(rows),
        fits=rows <= wanted.rows_max,
        at_once=at_once,
        bare=bool(cover_asked()) and wanted is ListForm.CSV,
        kept_for=KEPT_FOR,
    )
    return shown, 422 if form.is_submitted() else 200


@bp.get("/applications/files")
@requires(Permission.APPLICATION_READ)
def list_files() -> Any:
    """The files this person asked for."""
    found = queries.list_files(current_actor())
    return page("applications/list_files.html", found=found, kept_for=KEPT_FOR)


@bp.get(NUMBER)
@requires(Permission.APPLICATION_READ)
def show_list_file(number: int) -> Any:
    return _show(number, DeedForm(formdata=None), 200)


def _show(number: int, form: DeedForm, status: int) -> Any:
    file = queries.list_file(current_actor(), number)
    shown = page(
        "applications/list_file.html",
        file=file,
        form=form,
        chips=chips(file.listing, dict(queries.calls_seen(current_actor()))),
        address_of=address_of,
    )
    return shown, status


@bp.get(f"{NUMBER}/download")
@requires(Permission.APPLICATION_READ)
def download_list_file(number: int) -> Any:
    return send(services.download_list_file(current_actor(), number))


@bp.post(f"{NUMBER}/remove")
@requires(Permission.APPLICATION_READ)
def remove_list_file(number: int) -> Any:
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.remove_list_file(current_actor(), number)
            flash("The file is removed.", "success")
            return see_other(".list_files")
    return _show(number, form, 422)
