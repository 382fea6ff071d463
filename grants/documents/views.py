"""Pages of generated statements: asking for one, the list, its progress, its figures, the entries behind them, its files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request

from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.documents import queries, services
from grants.documents.catalogue import CATALOGUE, TITLES, named
from grants.documents.forms import StatementForm, filter_of
from grants.documents.rules import Format, RunState, RunSummary, RunView, Wanted, in_table, took_words
from grants.ledger.accounts import Account
from grants.web import paging
from grants.web.downloads import send
from grants.web.forms import DeedForm, choices
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("documents", __name__, url_prefix="/finance/statements")
P = Permission
# Whoever reads the money of the programme; a city finds the statement of its grant on the page of the grant.
NAVIGATION = (NavItem("Statements", "documents.index", (P.PAYMENT_ORDER_READ,), 70),)


@bp.route("", methods=["GET", "POST"])
@requires(P.STATEMENT_READ)
def index() -> Any:
    actor, form = current_actor(), _ask_form()
    if form.validate_on_submit():
        with form.refusals():
            wanted = form.to_input()
            about = queries.meant(actor, named(wanted.name).scope_kinds, wanted.scope_reference)
            made = services.request(actor, wanted.about(about))
            return see_other(".show", ref=made.reference)
    problems: list[str] = []
    asked = filter_of(TITLES, problems)
    shown = page(
        "documents/statements.html",
        form=_with_suggestions(form),
        rows=paging.Rows(()) if problems else queries.runs(actor, TITLES, asked, paging.asked()),
        problems=problems,
        asked=asked,
        kinds=tuple(CATALOGUE.values()),
        states=tuple(RunState),
        took=took_words,
    )
    return shown, 422 if form.is_submitted() else 200


def _ask_form() -> StatementForm:
    """Empty, or with what a link from a grant or a call wants to ask for."""
    form = StatementForm(data={"name": request.args.get("ask"), "scope": request.args.get("about")})
    form.name.choices = choices((kind.name, kind.title) for kind in CATALOGUE.values())
    form.chosen.choices = []
    return form


def _with_suggestions(form: StatementForm) -> StatementForm:
    """After a text that names nothing exactly: what it may mean, to choose from."""
    text, name = (form.scope.data or "").strip(), form.name.data
    if form.scope.errors and text and name in CATALOGUE:
        found = queries.suggestions(current_actor(), named(name).scope_kinds, text)
        form.chosen.choices = choices((each.reference, f"{each.title} ({each.reference})") for each in found)
        form.chosen.data = None
    return form


@bp.get("/<ref>")
@requires(P.STATEMENT_READ)
def show(ref: str) -> Any:
    return _statement(ref, DeedForm(), 200)


def _statement(ref: str, form: DeedForm, status: int) -> Any:
    actor = current_actor()
    run = queries.run(actor, ref, TITLES)
    shown = page(
        "documents/statement.html",
        form=form,
        run=run,
        figures=queries.figures(actor, ref),
        part=_part(),
        words=in_table,
        took=took_words,
    )
    return shown, status


def _part() -> tuple[int, int]:
    """Which table of a long statement is shown from which row on."""
    return request.args.get("table", 0, type=int), max(request.args.get("row", 0, type=int), 0)


def _again(run: RunView) -> Wanted:
    """The same wish with the data of now."""
    return Wanted(run.name, run.scope_reference, None, run.period.starts_on, run.period.ends_before)


@bp.post("/<ref>/cancel")
@requires(P.STATEMENT_REQUEST)
def cancel(ref: str) -> Any:
    return _deed(
        ref,
        lambda run_id: services.cancel(current_actor(), run_id),
        "The statement is cancelled; nothing of it is kept.",
    )


@bp.post("/<ref>/retry")
@requires(P.STATEMENT_REQUEST)
def retry(ref: str) -> Any:
    return _deed(ref, lambda run_id: services.retry(current_actor(), run_id), "It is tried again.")


@bp.post("/<ref>/again")
@requires(P.STATEMENT_REQUEST)
def again(ref: str) -> Any:
    wanted = _again(queries.run(current_actor(), ref, TITLES))
    return _deed(
        ref, lambda run_id: services.request(current_actor(), wanted), "It is made again, with the data of now."
    )


def _deed(ref: str, deed: Callable[[UUID], RunSummary], told: str) -> Any:
    form, run = DeedForm(), queries.run(current_actor(), ref, TITLES)
    if form.validate_on_submit():
        with form.refusals():
            done = deed(run.id)
            flash(told, "success")
            return see_other(".show", ref=done.reference)
    return _statement(ref, form, 422)


@bp.get("/<ref>/entries")
@requires(P.STATEMENT_READ)
def entries(ref: str) -> Any:
    """The entries of the ledger behind one figure, as they were known at the statement's moment."""
    actor = current_actor()
    run = queries.run(actor, ref, TITLES)
    known = set(Account)
    accounts = [Account(code) for code in request.args.getlist("account") if code in known]
    if not accounts:
        raise NotFound
    found = queries.entries_behind(actor, run, accounts, request.args.get("grant", ""), paging.asked())
    return page("documents/entries.html", run=run, accounts=accounts, found=found, label=request.args.get("of", ""))


@bp.get("/<ref>.<form>")
@requires(P.STATEMENT_READ)
def download(ref: str, form: str) -> Any:
    if form not in set(Format):
        raise NotFound
    actor = current_actor()
    run = queries.run(actor, ref, TITLES)
    return send(services.download(actor, run.id, Format(form)))
