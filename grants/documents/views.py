"""Pages of generated statements: the list, asking for one, its progress, its figures and its files."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from grants.core import files, jobs
from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.documents import queries, services
from grants.documents.catalogue import CATALOGUE, TITLES
from grants.documents.forms import StatementForm
from grants.documents.rules import Format, words
from grants.web.downloads import send
from grants.web.forms import choices
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("documents", __name__, url_prefix="/finance/statements")
P = Permission
NAVIGATION = (NavItem("Statements", "documents.index", (P.STATEMENT_READ,), 70),)


@bp.route("", methods=["GET", "POST"])
@requires(P.STATEMENT_READ)
def index() -> Any:
    actor, form = current_actor(), StatementForm()
    form.name.choices = choices((kind.name, kind.title) for kind in CATALOGUE.values())
    form.scope.choices = choices([("", "Choose a call"), *queries.scope_choices(actor)])
    if form.validate_on_submit():
        with form.refusals():
            made = services.request(actor, form.to_input())
            return see_other(".show", ref=made.reference)
    rows = queries.runs(actor, TITLES)
    found = jobs.views([row.job_id for row in rows])
    shown = [(row, found[row.job_id]) for row in rows]
    return page("documents/statements.html", form=form, rows=shown), 422 if form.is_submitted() else 200


@bp.get("/<ref>")
@requires(P.STATEMENT_READ)
def show(ref: str) -> Any:
    actor = current_actor()
    run = queries.run(actor, ref, TITLES)
    return page(
        "documents/statement.html",
        run=run,
        job=jobs.view(run.job_id),
        figures=queries.figures(actor, ref),
        files={file.role: file for file in files.listed(services.FILE_KIND, run.id)},
        words=words,
    )


@bp.get("/<ref>.<form>")
@requires(P.STATEMENT_READ)
def download(ref: str, form: str) -> Any:
    if form not in set(Format):
        raise NotFound
    actor = current_actor()
    run = queries.run(actor, ref, TITLES)
    return send(services.download(actor, run.id, Format(form)))
