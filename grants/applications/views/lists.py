"""The list of applications, and starting one."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request

from grants.applications import queries, rules, services
from grants.applications.forms import StartForm, list_filter
from grants.applications.queries.privacy import notice_asked
from grants.applications.views.frame import bp
from grants.calls import queries as calls
from grants.calls.states import Phase
from grants.core import clock
from grants.core.paging import Tally
from grants.core.permissions import Permission
from grants.core.text import CSV_MARK, csv_line
from grants.identity import queries as identity
from grants.web import paging
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications")
@requires(Permission.APPLICATION_READ, Permission.APPLICATION_START)
def index() -> Any:
    """The applications this person may see, with filters, counts and the next page by key."""
    actor, asked, wanted = current_actor(), paging.asked(), list_filter(request.args)
    found = queries.list_page(actor, wanted, size=asked.size, after=asked.after)
    chosen = (tally for state, tally in found.counts.items() if not wanted.states or state in wanted.states)
    total = sum(chosen, Tally(0))
    return page(
        "applications/index.html",
        rows=paging.rows(found.rows, asked, key=lambda row: row.reference, total=total),
        wanted=wanted,
        counts=found.counts,
        calls=found.calls,
        countries=found.countries,
        rules=rules,
    )


@bp.get("/applications.csv")
@requires(Permission.APPLICATION_READ, Permission.APPLICATION_START)
def export() -> Any:
    """The same list as CSV, at most 5,000 rows, in UTF-8 with the mark that spreadsheets look for."""
    lines = "".join(csv_line(cells) for cells in queries.export_lines(current_actor(), list_filter(request.args)))
    answer = Response(CSV_MARK + lines, mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=applications.csv"
    return answer


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
    form.notice_number.data, form.notice_number.raw_data = str(asked.number) if asked else "", None
    return page("applications/new.html", form=form, call=call, open=call.is_open(clock.now()), asked=asked)
