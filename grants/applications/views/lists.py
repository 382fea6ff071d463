"""The list of applications, and starting one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, make_response, redirect, request, send_file, url_for

from grants.applications import queries, rules, services
from grants.applications.forms import StartForm, listing_of
from grants.applications.queries.lists import ListNotUnderstood
from grants.applications.queries.privacy import notice_asked
from grants.applications.rules.exporting import AT_ONCE_ROWS_MAX, ListForm, made_at_once
from grants.applications.rules.listing import SORTINGS, Column, Listing, Order, Sorting
from grants.applications.views.frame import bp
from grants.calls import queries as calls
from grants.calls.states import Phase
from grants.core import clock
from grants.core.file_types import MEDIA, FileType
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.web import paging
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications")
@requires(Permission.APPLICATION_READ, Permission.APPLICATION_START)
def index() -> Any:
    """The applications this person may see: filtered, ordered, page by key from either end; its address is all there is to it."""
    if not request.args and (first := queries.first_list(current_actor())):
        # Its own address, so that a bookmark of what is seen holds what is seen.
        return redirect(address_of(first.listing), 303)
    listing, stretch = listing_of(request.args), _stretch()
    found = queries.list_page(current_actor(), listing, stretch)
    calls = dict(found.calls)
    return page(
        "applications/index.html",
        listing=listing,
        found=found,
        problems=(*listing.problems, *rules.stale(listing.wanted, calls, found.programmes, found.countries)),
        chips=rules.chips(listing, calls),
        sortings=SORTINGS,
        orders=Order,
        columns=Column,
        at_once_max=AT_ONCE_ROWS_MAX,
        address_of=address_of,
        rules=rules,
    )


def _stretch() -> queries.Stretch:
    """Which part of the list the address asks for."""
    asked = paging.asked()
    before, end = request.args.get("before") or None, request.args.get("at") == "last"
    return queries.Stretch(asked.size, None if before or end else asked.after, None if end else before, end)


def address_of(listing: Listing, *, endpoint: str = "applications.index", **more: str | int | None) -> str:
    """The address of a list; ``more`` are the parts that are not of the list itself."""
    pairs = [*listing.pairs, *((name, str(value)) for name, value in more.items() if value)]
    if (size := paging.asked().size) != paging.ROWS_ON_A_PAGE:
        pairs.append(("size", str(size)))
    # Without any part, the address is that of the list a person sees first.
    pairs = pairs or [("sort", Sorting().code)]
    return f"{url_for(endpoint)}?{urlencode(pairs)}"


@bp.get("/applications.csv")
@requires(Permission.APPLICATION_READ)
def export() -> Any:
    """The same list as CSV, in UTF-8 with the mark that spreadsheets look for; ``?cover=no`` leaves out what it says of itself. A long one is a job."""
    actor, listing = current_actor(), understood()
    if (longer := _made_by_a_job(listing, ListForm.CSV)) is not None:
        return longer
    made, cover = services.csv_file(actor, listing, bare=bool(cover_asked()))
    services.export_list(actor, cover, "CSV")
    return send_file(made, "text/csv", as_attachment=True, download_name="applications.csv")


@bp.get("/applications.xlsx")
@requires(Permission.APPLICATION_READ)
def export_workbook() -> Any:
    """The same list as a workbook; a long one is a job."""
    actor, listing = current_actor(), understood()
    if (longer := _made_by_a_job(listing, ListForm.XLSX)) is not None:
        return longer
    made, cover = services.workbook(actor, listing)
    services.export_list(actor, cover, "a workbook")
    return send_file(made, MEDIA[FileType.XLSX], as_attachment=True, download_name="applications.xlsx")


def _made_by_a_job(listing: Listing, form: ListForm) -> Any:
    """For a list longer than a page writes by itself, the way to the page where it is asked for."""
    if made_at_once(queries.rows_of_list(current_actor(), listing, most=AT_ONCE_ROWS_MAX)):
        return None
    return redirect(
        f"{url_for('.ask_list_file')}?{urlencode([*listing.pairs, ('as', form.value), *cover_asked()])}", 303
    )


def cover_asked() -> list[tuple[str, str]]:
    """The part of the address that leaves out what a file says of itself, where it is there."""
    return [("cover", "no")] if request.args.get("cover") == "no" else []


def understood() -> Listing:
    """The list of the address; one that is not understood is no file: the answer says why, with the way to the list."""
    listing = listing_of(request.args)
    try:
        return queries.understood(current_actor(), listing)
    except ListNotUnderstood as error:
        told = [sentence for _, sentence in error.problems]
        back = address_of(listing.without(error.problems))
        abort(make_response(page("applications/list_refused.html", problems=told, back=back), 422))


@bp.get("/applications/new")
@requires(Permission.APPLICATION_START)
def new() -> Any:
    """Choose an open call, or name the application to the one chosen."""
    if not request.args.get("call"):
        open_calls = calls.in_phase(calls.calls(current_actor()), Phase.OPEN, clock.now())
        return page("applications/choose_call.html", calls=open_calls)
    return _start_page(_start_form())


@bp.post("/applications/new")
@requires(Permission.APPLICATION_START)
def start() -> Any:
    """Start the application and open its task list."""
    form = _start_form()
    if form.validate_on_submit():
        with form.refusals():
            call_id = calls.id_of(current_actor(), request.args.get("call", ""))
            started = services.start(current_actor(), call_id, form.to_start())
            flash("The application is started. Begin with any section; every one is kept as you save it.", "success")
            return see_other(".show", ref=started.reference)
    return _start_page(form), 422


def _start_form() -> StartForm:
    form = StartForm()
    own = identity.organisations(current_actor().organisation_ids).values()
    form.organisation.choices = choices((str(each.id), each.name) for each in own if each.kind in rules.LEADING_KINDS)
    return form


def _start_page(form: StartForm) -> str:
    call = calls.call(current_actor(), request.args.get("call", ""))
    asked = notice_asked(None, call.id)
    form.ask_notice(asked)
    invited = queries.invited_to(current_actor(), call.id) if call.by_invitation else ()
    return page(
        "applications/new.html", form=form, call=call, open=call.is_open(clock.now()), invited=invited, asked=asked
    )
