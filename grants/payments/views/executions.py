"""Pages for who has no bank channel: a list of executed payments is looked at row by row, then brought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash

from grants.core import clock
from grants.core.errors import NotFound, Refused
from grants.payments import services
from grants.payments.queries import statements as told
from grants.payments.queries.executions import ListedRow, listed_rows
from grants.payments.queries.own_accounts import own_account
from grants.payments.rules.statements.executions import RowProblem, Spelling, read_executions, template
from grants.payments.views.executions_form import ExecutionsForm
from grants.payments.views.frame import P, bp
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/executions")
@requires(P.BANK_STATEMENT_IMPORT)
def executions() -> Any:
    """The form, with its template to download."""
    return _shown(_form(), (), ())


@bp.get("/finance/executions/template-<spelling>.csv")
@requires(P.BANK_STATEMENT_IMPORT)
def executions_template(spelling: str) -> Any:
    """An empty list with its heads."""
    if spelling not in {each.value for each in Spelling}:
        raise NotFound
    name = f"executed-payments-{spelling}.csv"
    answer = Response("\ufeff" + template(Spelling(spelling)), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@bp.post("/finance/executions/look")
@requires(P.BANK_STATEMENT_IMPORT)
def look_at_executions() -> Any:
    """What each row is, before anything is taken; nothing is kept."""
    form = _form()
    if not form.validate_on_submit():
        return _shown(form, (), (), 422)
    found: tuple[ListedRow, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    with form.refusals():
        found, problems = _looked_at(form)
    return _shown(form, found, problems, 422 if problems or form.problems or form.errors else 200)


@bp.post("/finance/executions/bring")
@requires(P.BANK_STATEMENT_IMPORT)
def bring_executions() -> Any:
    """Take the list as it was looked at; a worker books what agrees."""
    form = _form()
    found: tuple[ListedRow, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    if form.validate_on_submit():
        with form.refusals():
            seen = str(form.looked.data or "")
            found, problems = _looked_at(form)
            if seen != form.looked.data:
                raise Refused("The list is another than the one you looked at. Look at its rows below, then bring it.")
            account_id = _account_id(form)
            made = services.import_executions(current_actor(), account_id, form.read(), form.chosen)
            said = "came before as" if made.again else "is taken as"
            flash(f"The list {said} {made.reference}. What agrees with an order is booked next.", "success")
            return see_other(".bank_import", ref=made.reference)
    return _shown(form, found, problems, 422)


def _looked_at(form: ExecutionsForm) -> tuple[tuple[ListedRow, ...], tuple[RowProblem, ...]]:
    """The rows beside what stands, and those that cannot be read; the form remembers what was looked at."""
    read = read_executions(form.read(), form.chosen, clock.today())
    form.looked.data, form.looked.raw_data = form.digest(), None
    return listed_rows(current_actor(), _account_id(form), read.rows), read.problems


def _account_id(form: ExecutionsForm) -> UUID:
    return own_account(current_actor(), str(form.own_account.data)).id


def _form() -> ExecutionsForm:
    accounts = told.accounts(current_actor())
    return ExecutionsForm().of((each.reference, f"{each.reference}, {each.masked}") for each in accounts)


def _shown(
    form: ExecutionsForm, rows: tuple[ListedRow, ...], problems: tuple[RowProblem, ...], status: int = 200
) -> Any:
    shown = page("payments/executions.html", form=form, rows=rows, problems=problems, spellings=tuple(Spelling))
    return shown, status
