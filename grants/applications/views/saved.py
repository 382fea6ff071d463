"""Lists of applications kept under a name: keeping one, opening it, renaming, sharing, taking it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect

from grants.applications import queries, services
from grants.applications.forms import DeedForm, ListNameForm, SaveListForm, SharingForm
from grants.applications.rules import chips
from grants.applications.rules.saving import SHARED_ROLES, SavedListView, spelled
from grants.applications.views.frame import bp
from grants.applications.views.lists import address_of, understood
from grants.core.permissions import Permission
from grants.identity.policy import WORDS
from grants.web.forms import Form, choices
from grants.web.routing import current_actor, page, requires, see_other

READERS = (Permission.APPLICATION_READ, Permission.APPLICATION_START)


@bp.get("/applications/views")
@requires(*READERS)
def saved() -> Any:
    """Every list this person keeps or was given."""
    return page("applications/saved.html", lists=queries.saved_lists(current_actor()))


@bp.route("/applications/views/new", methods=["GET", "POST"])
@requires(*READERS)
def save() -> Any:
    """Keep the list whose address this page carries, under a new name or in place of a kept one."""
    form, listing = _save_form(), understood()
    if form.validate_on_submit():
        with form.refusals():
            number = _kept(form, spelled(listing))
            if form.first.data:
                services.put_first(current_actor(), number)
            flash("The list is kept. It stands above the list of applications.", "success")
            return redirect(address_of(listing), 303)
    calls = dict(queries.calls_seen(current_actor()))
    shown = page(
        "applications/save_list.html", form=form, listing=listing, chips=chips(listing, calls), address_of=address_of
    )
    return shown, 422 if form.is_submitted() else 200


def _kept(form: SaveListForm, address: str) -> int:
    actor, instead = current_actor(), form.instead.data or ""
    if not instead.isdecimal():
        return services.save_list(actor, form.to_input(address))
    kept = queries.saved_list(actor, int(instead[:9]))
    services.change_list(actor, kept.id, address)
    return kept.number


def _save_form() -> SaveListForm:
    form = SaveListForm()
    own = [each for each in queries.saved_lists(current_actor()) if each.is_own]
    form.instead.choices = choices([("", "A new list"), *((str(each.number), each.name) for each in own)])
    return _with_teams(form)


def _with_teams(form: Any) -> Any:
    calls = queries.shareable_calls(current_actor())
    form.call.choices = choices([("", "Nobody else"), *calls])
    form.role.choices = choices([("", "Anybody"), *((role.value, WORDS[role][0]) for role in SHARED_ROLES)])
    return form


@bp.get("/applications/views/<int(max=2147483647):number>")
@requires(*READERS)
def saved_list(number: int) -> Any:
    """The list itself, at its own address."""
    return redirect(address_of(queries.saved_list(current_actor(), number).listing), 303)


@bp.get("/applications/views/<int(max=2147483647):number>/change")
@requires(*READERS)
def change_saved(number: int) -> Any:
    return _change_page(queries.saved_list(current_actor(), number), None)


def _change_page(kept: SavedListView, sent: Form | None) -> str:
    """The page with every form of a list; the one that was sent and refused as it came."""
    sharing = {"call": kept.shared_call_slug or "", "role": kept.shared_role or ""}
    forms: tuple[Form, ...] = (
        ListNameForm(formdata=None, data={"name": kept.name}),
        _with_teams(SharingForm(formdata=None, data=sharing)),
        DeedForm(formdata=None),
    )
    name, share, deed = (sent if sent is not None and type(sent) is type(each) else each for each in forms)
    return page("applications/change_list.html", kept=kept, name_form=name, sharing_form=share, deed_form=deed)


@bp.post("/applications/views/<int(max=2147483647):number>/name")
@requires(*READERS)
def rename_saved(number: int) -> Any:
    form = ListNameForm()
    return _done(
        number,
        form,
        lambda kept: services.rename_list(current_actor(), kept.id, form.name.data or ""),
        "The list has its new name.",
    )


@bp.post("/applications/views/<int(max=2147483647):number>/sharing")
@requires(*READERS)
def share_saved(number: int) -> Any:
    form = _with_teams(SharingForm())
    return _done(
        number,
        form,
        lambda kept: services.share_list(current_actor(), kept.id, form.to_sharing()),
        "It is shared as you chose.",
    )


@bp.post("/applications/views/<int(max=2147483647):number>/first")
@requires(*READERS)
def put_saved_first(number: int) -> Any:
    def turn(kept: SavedListView) -> None:
        services.put_first(current_actor(), None if kept.is_first else kept.number)

    return _done(number, DeedForm(), turn, "The list of applications opens as you chose.")


@bp.post("/applications/views/<int(max=2147483647):number>/delete")
@requires(*READERS)
def delete_saved(number: int) -> Any:
    return _done(
        number, DeedForm(), lambda kept: services.delete_list(current_actor(), kept.id), "The list is no longer kept."
    )


def _done(number: int, form: Any, deed: Callable[[SavedListView], None], told: str) -> Any:
    kept = queries.saved_list(current_actor(), number)
    if form.validate_on_submit():
        with form.refusals():
            deed(kept)
            flash(told, "success")
            return see_other(".saved")
    return _change_page(kept, form), 422
