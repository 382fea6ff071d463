"""Pages of what the bank told: accounts and their statements, a file being read, lines not booked yet."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash

from grants.core import clock, files
from grants.core.errors import Conflict, Invalid, NotFound
from grants.payments import queries, services
from grants.payments.forms import BankFileForm, ExplainForm, ReasonForm
from grants.payments.queries import bank_lines
from grants.payments.queries import statements as told
from grants.payments.rules.statements.ageing import Age, UnmatchedAsk
from grants.payments.rules.statements.values import BANK_FILE_BYTES_MAX, BankFile, Direction
from grants.payments.services import bank_files
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.forms import ContestedForm, Form, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/bank")
@requires(P.PAYMENT_ORDER_READ)
def bank() -> Any:
    return _bank(BankFileForm())


@bp.post("/finance/bank")
@requires(P.BANK_STATEMENT_IMPORT)
def import_statement() -> Any:
    form = BankFileForm()
    if form.validate_on_submit():
        with form.refusals():
            incoming, kind = _received(form)
            made = services.import_statement(current_actor(), incoming, kind)
            said = "came before as" if made.again else "is being read as"
            flash(f"“{incoming.name}” {said} {made.reference}.", "success")
            return see_other(".bank_import", ref=made.reference)
    return _bank(form)


def _received(form: BankFileForm) -> tuple[files.Incoming, BankFile]:
    upload = form.file.data
    try:
        incoming = files.receive(upload, bytes_max=BANK_FILE_BYTES_MAX, look=bank_files.look)
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error
    upload.stream.seek(0)
    return incoming, bank_files.kind_of(upload.stream)


def _bank(form: BankFileForm) -> Any:
    actor = current_actor()
    shown = page(
        "payments/bank.html",
        accounts=told.accounts(actor),
        imports=told.imports(actor, paging.asked(20)),
        form=form,
    )
    return shown, 422 if form.is_submitted() else 200


@bp.get("/finance/bank-files/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def bank_import(ref: str) -> Any:
    actor = current_actor()
    found, job = told.bank_import(actor, ref)
    brought = told.statements_of_import(actor, found.id, paging.Page(size=200))
    told_here = queries.statuses_in(actor, found.id) if found.kind is BankFile.REPORT else ()
    return page("payments/bank_import.html", found=found, job=job, statements=brought, statuses=told_here)


@bp.get("/finance/bank/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def bank_account(ref: str) -> Any:
    actor = current_actor()
    account = told.account_of(actor, ref)
    return page(
        "payments/bank_account.html",
        account=account,
        statements=told.statements(actor, ref, paging.asked()),
    )


@bp.get("/finance/bank/<ref>/<int(max=2147483647):position>")
@requires(P.PAYMENT_ORDER_READ)
def bank_statement(ref: str, position: int) -> Any:
    actor = current_actor()
    return page(
        "payments/bank_statement.html",
        statement=told.statement(actor, ref, position),
        proof=told.statement_proof(actor, ref, position),
        lines=bank_lines.statement_lines(actor, ref, position, paging.asked()),
    )


@bp.get("/finance/unmatched")
@requires(P.PAYMENT_ORDER_READ)
def unmatched() -> Any:
    actor = current_actor()
    asked, today, problems, known = unmatched_asked()
    return page(
        "payments/unmatched.html",
        asked=asked,
        problems=problems,
        accounts=known,
        directions=tuple(Direction),
        ages=bank_lines.ages(actor, asked, today),
        lines=bank_lines.unmatched(actor, asked, today, paging.asked()),
        today=today,
    )


def unmatched_asked() -> tuple[UnmatchedAsk, date, list[str], tuple[str, ...]]:
    """What the address asks of these lines, as of which day, what of it is not understood, and the accounts there are."""
    problems: list[str] = []
    known = {each.reference: each.reference for each in told.accounts(current_actor())}
    asked = UnmatchedAsk(
        age=chosen("age", "age", {age.value: age for age in Age}, problems),
        direction=chosen("direction", "direction", {each.value: each for each in Direction}, problems),
        account=chosen("account", "account", known, problems) or "",
    )
    return asked, clock.today(), problems, tuple(known)


@bp.get("/finance/bank-lines/<int(max=9223372036854775807):number>")
@requires(P.PAYMENT_ORDER_READ)
def bank_line(number: int) -> Any:
    return _line(number, None)


@bp.post("/finance/bank-lines/<int(max=9223372036854775807):number>/explain")
@requires(P.BANK_LINE_EXPLAIN)
def explain(number: int) -> Any:
    actor = current_actor()
    found = bank_lines.line_page(actor, number)
    form = ExplainForm().of(found.possible, found.funds)
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.explain(actor, found.id, form.to_input())
                flash("It is on the record. Another person confirms it, and only then it is booked.", "success")
                return see_other(".bank_line", number=number)
        except Conflict as error:
            form.problems.append(str(error))
            return _line(number, form)[0], 409
    return _line(number, form)


@bp.post("/finance/bank-lines/<int(max=9223372036854775807):number>/confirm")
@requires(P.BANK_LINE_CONFIRM)
def confirm_claim(number: int) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.confirm_claim(current_actor(), _newest_claim(number), version=form.version_shown())
            flash("It is confirmed and booked.", "success")
            return see_other(".bank_line", number=number)
    return _line(number, form)


@bp.post("/finance/bank-lines/<int(max=9223372036854775807):number>/refuse")
@requires(P.BANK_LINE_CONFIRM)
def refuse_claim(number: int) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.refuse_claim(current_actor(), _newest_claim(number), reason=reason, version=form.version_shown())
            flash("It is refused. The line stays open.", "success")
            return see_other(".bank_line", number=number)
    return _line(number, form)


@bp.post("/finance/bank-lines/<int(max=9223372036854775807):number>/withdraw")
@requires(P.BANK_LINE_EXPLAIN)
def withdraw_claim(number: int) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.withdraw_claim(current_actor(), _newest_claim(number), version=form.version_shown())
            flash("It is withdrawn. The line stays open.", "success")
            return see_other(".bank_line", number=number)
    return _line(number, form)


def _newest_claim(number: int) -> UUID:
    """What was said last of the line, decided or not: the act says what became of it meanwhile."""
    found = bank_lines.line_page(current_actor(), number)
    if not found.claims:
        raise NotFound
    return (found.open or found.claims[0]).id


def _line(number: int, sent: Form | None) -> Any:
    actor = current_actor()
    found = bank_lines.line_page(actor, number)
    newest = found.claims[0] if found.claims else None
    contested = sent if isinstance(sent, ContestedForm) else None
    if newest is not None:
        renew(contested, newest.version)
    version = {"version": str(newest.version) if newest else ""}
    explain_form = sent if isinstance(sent, ExplainForm) else ExplainForm(formdata=None)
    shown = page(
        "payments/bank_line.html",
        found=found,
        today=clock.today(),
        form=sent,
        contested=contested,
        last=overtaker(contested, "bank_claim", newest.id, f"line {number}") if newest else None,
        explain_form=explain_form if explain_form is sent else explain_form.of(found.possible, found.funds),
        reason_form=own_or_fresh(sent, ReasonForm, **version),
        left=sent if isinstance(sent, ExplainForm) and (found.open or not found.possible) else None,
        plain_form=sent if type(sent) is ContestedForm else ContestedForm(formdata=None, data=version),
    )
    return shown, 200 if sent is None else status_of(contested) if contested else 422
