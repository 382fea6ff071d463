"""Pages of the circuit (inbox, requests, orders, lists), of a grant's payments, and of the ledger, which has no views of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, request

from grants.core import acts, clock, jobs
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Permission
from grants.core.text import CSV_MARK, csv_line
from grants.identity import queries as identity
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments import queries, rules, services
from grants.payments.forms import (
    AskAgainForm,
    ChangeForm,
    CloseForm,
    DecideForm,
    EstablishForm,
    ExecuteForm,
    ExportForm,
    PrepareForm,
    ReasonForm,
    ReceiptForm,
    SignForm,
    ledger_ask,
)
from grants.payments.states import Step
from grants.web import downloads, paging
from grants.web.forms import ContestedForm, Form, choices
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("payments", __name__)
P = Permission
# Under the inbox; all of them have a page of their own.
NEWEST_LISTS = 10
NAVIGATION = (
    NavItem("Payments", "payments.approvals", (P.PAYMENT_ORDER_READ,), 60),
    NavItem("Ledger", "payments.ledger", (P.LEDGER_READ,), 65),
)


# --- The inbox and the lists ----------------------------------------------------------------------------------------


@bp.get("/finance/approvals")
@requires(P.PAYMENT_ORDER_READ)
def approvals() -> Any:
    return _approvals(None)


@bp.post("/finance/approvals/export")
@requires(P.PAYMENT_ORDER_EXECUTE)
def export() -> Any:
    actor, form = current_actor(), _export_form(None)
    if form.validate_on_submit() and form.control_total.data is not None:
        with form.refusals():
            ids = queries.order_ids_of(actor, form.orders.data or [])
            sent = services.export(actor, ids, control_total=form.control_total.data)
            flash(f"{_counted(sent.orders)} exported in the list {sent.reference}: {sent.total}.", "success")
            return see_other(".batch", ref=sent.reference)
    return _approvals(form)


def _approvals(form: ExportForm | None) -> Any:
    actor, asked = current_actor(), paging.asked()
    found = queries.inbox(actor, asked)
    shown = page(
        "payments/approvals.html",
        inbox=found,
        form=form or _export_form(found),
        after=asked.after,
        batches=queries.batches(actor, paging.Page(size=NEWEST_LISTS)),
    )
    return shown, 200 if form is None else 409 if form.gone else 422


def _export_form(found: queries.Inbox | None) -> ExportForm:
    """The form for the page shown; for a form that was sent, whatever was ticked and may leave, on whichever page."""
    form = ExportForm()
    ticked = form.orders.data or []
    if found is None:
        ready = queries.exportable(current_actor(), ticked)
    else:
        ready = tuple(row.reference for row in found.rows.items if row.deed == "export" and row.yours)
    form.orders.choices = choices([(reference, reference) for reference in ready])
    gone = [reference for reference in ticked if reference not in ready]
    form.gone = queries.why_gone(current_actor(), gone)
    return form


def _counted(orders: int) -> str:
    return "1 order" if orders == 1 else f"{orders} orders"


@bp.get("/finance/batches")
@requires(P.PAYMENT_ORDER_READ)
def batches() -> Any:
    return page("payments/batches.html", batches=queries.batches(current_actor(), paging.asked()))


@bp.get("/finance/batches/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def batch(ref: str) -> Any:
    return page("payments/batch.html", batch=queries.batch(current_actor(), ref))


@bp.get("/finance/batches/<ref>/list.xlsx")
@requires(P.PAYMENT_ORDER_EXECUTE)
def batch_file(ref: str) -> Any:
    actor = current_actor()
    return downloads.send(services.open_batch_file(actor, queries.batch_id_of(actor, ref)))


# --- One request ----------------------------------------------------------------------------------------------------


@bp.get("/finance/requests/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def request_page(ref: str) -> Any:
    return _request(ref, None)


@bp.post("/finance/requests/<ref>/decide")
@requires(P.PAYMENT_REQUEST_DECIDE)
def decide(ref: str) -> Any:
    actor, form = current_actor(), DecideForm()
    if form.validate_on_submit():
        with form.attempt():
            given = form.to_input()
            made = services.decide(actor, queries.request_id_of(actor, ref), given, version=form.version_shown())
            flash(
                f"Request {ref} is decided: {made.state.value.replace('_', ' ')}. The coordinator is told.", "success"
            )
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/reject")
@requires(P.PAYMENT_REQUEST_DECIDE)
def reject(ref: str) -> Any:
    actor, form = current_actor(), ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id, reason = queries.request_id_of(actor, ref), form.reason.data or ""
            services.reject(actor, request_id, reason=reason, version=form.version_shown())
            flash(f"Request {ref} is rejected. The coordinator is told why.", "success")
            return see_other(".request_page", ref=ref)
    return _request(ref, form)


@bp.post("/finance/requests/<ref>/orders")
@requires(P.PAYMENT_ORDER_PREPARE)
def prepare(ref: str) -> Any:
    actor, form = current_actor(), PrepareForm()
    if form.validate_on_submit():
        with form.attempt():
            request_id = queries.request_id_of(actor, ref)
            made = services.prepare(actor, request_id, amount=form.amount.data, version=form.version_shown())
            flash(f"Order {made.reference} is prepared. {rules.order_next(made.state)}", "success")
            return see_other(".order", ref=made.reference)
    return _request(ref, form)


def _request(ref: str, sent: ContestedForm | None) -> Any:
    """The page of a request; the form that was sent comes back as it was typed, the others fresh."""
    actor = current_actor()
    found = queries.request(actor, ref)
    _renew(sent, found.version)
    position = forecast = refusal = None
    if found.is_open:
        try:
            position, forecast = queries.forecast(actor, ref)
        except Refused as error:
            refusal = str(error)
    shown = page(
        "payments/request.html",
        asked=found,
        position=position,
        forecast=forecast,
        refusal=refusal,
        form=sent,
        next=rules.request_next(found),
        last=_overtaker(sent, "payment_request", found.id, found.reference),
        decide_form=_mine(sent, DecideForm, version=found.version, approved=found.requested),
        reject_form=_mine(sent, ReasonForm, version=found.version),
        prepare_form=_mine(sent, PrepareForm, version=found.version, amount=found.to_order),
    )
    return shown, _answer(sent)


def _renew(sent: ContestedForm | None, version: int) -> None:
    """A form that clashed goes out again in sight of what stands now."""
    if sent is not None and sent.clashed:
        sent.try_again(version)


def _overtaker(sent: ContestedForm | None, kind: str, object_id: UUID, reference: str) -> Any:
    if sent is None or not sent.clashed:
        return None
    return identity.overtaker(current_actor(), kind, object_id, reference)


def _answer(sent: ContestedForm | None) -> int:
    if sent is None:
        return 200
    return 409 if sent.clashed else 422


def _mine(sent: Form | None, kind: type[Form], **values: Any) -> Form:
    return sent if isinstance(sent, kind) else kind(formdata=None, data=values)


# --- One order ------------------------------------------------------------------------------------------------------


@bp.get("/finance/orders/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def order(ref: str) -> Any:
    return _order(ref, None)


@bp.post("/finance/orders/<ref>/verify")
@requires(P.PAYMENT_ORDER_VERIFY)
def verify(ref: str) -> Any:
    return _sign(ref, services.verify)


@bp.post("/finance/orders/<ref>/authorise")
@requires(P.PAYMENT_ORDER_AUTHORISE)
def authorise(ref: str) -> Any:
    return _sign(ref, services.authorise)


def _sign(ref: str, deed: Any) -> Any:
    actor, form = current_actor(), SignForm()
    if form.validate_on_submit():
        with form.attempt():
            made = deed(actor, _order_id(ref), note=form.note.data or "", version=form.version_shown())
            flash(f"Order {ref} {made.state.value}. {rules.order_next(made.state)}", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/change")
@requires(P.PAYMENT_ORDER_PREPARE)
def change(ref: str) -> Any:
    form = ChangeForm()
    if form.validate_on_submit() and form.amount.data is not None:
        with form.attempt():
            typed, reason = form.amount.data, form.reason.data or ""
            services.change(current_actor(), _order_id(ref), amount=typed, reason=reason, version=form.version_shown())
            flash(
                f"Order {ref} changed. Every signature given before is void; it is verified and authorised again.",
                "success",
            )
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/cancel")
@requires(P.PAYMENT_ORDER_CANCEL)
def cancel(ref: str) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.cancel(current_actor(), _order_id(ref), reason=reason, version=form.version_shown())
            flash(f"Order {ref} cancelled. What it held can be ordered again.", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


@bp.post("/finance/orders/<ref>/execute")
@requires(P.PAYMENT_ORDER_EXECUTE)
def execute(ref: str) -> Any:
    form = ExecuteForm()
    if form.validate_on_submit() and form.value_on.data:
        with form.attempt():
            day = form.value_on.data
            services.execute(current_actor(), _order_id(ref), value_on=day, version=form.version_shown())
            flash(f"Order {ref} executed on {clock.long_date(day)}.", "success")
            return see_other(".order", ref=ref)
    return _order(ref, form)


def _order_id(ref: str) -> UUID:
    return queries.order_id_of(current_actor(), ref)


def _order(ref: str, sent: ContestedForm | None) -> Any:
    actor = current_actor()
    found = queries.order(actor, ref)
    _renew(sent, found.version)
    shown = page(
        "payments/order.html",
        order=found,
        locked=queries.lock_of(actor, found),
        steps=[(step, rules.STEP_PEOPLE[step]) for step in Step],
        signed={each.step: each for each in found.standing},
        form=sent,
        sign_form=_mine(sent, SignForm, version=found.version),
        change_form=_mine(sent, ChangeForm, version=found.version, amount=found.amount),
        cancel_form=_mine(sent, ReasonForm, version=found.version),
        execute_form=_mine(sent, ExecuteForm, version=found.version),
        next=rules.order_next(found.state),
        last=_overtaker(sent, "payment_order", found.id, found.reference),
    )
    return shown, _answer(sent)


# --- A grant's payments ---------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/payments")
@requires(P.AGREEMENT_READ)
def grant(ref: str) -> Any:
    found = queries.grant_payments(current_actor(), ref)
    notes = rules.payment_notes(
        found.grant.state, found.grant.amount_note, found.position.room, declined=found.grant.declined
    )
    return page("payments/grant.html", found=found, notes=notes)


@bp.route("/grants/<ref>/payments/<asked>/again", methods=["GET", "POST"])
@requires(P.PAYMENT_REQUEST_SUBMIT)
def ask_again(ref: str, asked: str) -> Any:
    actor = current_actor()
    found = queries.grant_payments(actor, ref)
    earlier = _request_in(found, asked)
    form = AskAgainForm(data={"version": str(earlier.version)})
    if form.validate_on_submit():
        with form.attempt():
            made = services.ask_again(actor, earlier.id, reply=form.reply.data or "", version=form.version_shown())
            flash(f"The payment is asked for again, as {made.reference}. The programme decides it next.", "success")
            return see_other(".grant", ref=ref)
        # What stands now, for whoever was overtaken.
        found = queries.grant_payments(actor, ref)
    return _again_page(found, asked, form)


def _request_in(found: queries.GrantPayments, asked: str) -> rules.RequestView:
    for each in found.requests:
        if each.reference == asked:
            return each
    raise NotFound


def _again_page(found: queries.GrantPayments, asked: str, form: AskAgainForm) -> Any:
    earlier = _request_in(found, asked)
    _renew(form, earlier.version)
    shown = page(
        "payments/again.html",
        grant=found.grant,
        asked=earlier,
        form=form,
        refusal=rules.again_refusal(earlier, found.grant.final_amount),
        last=_overtaker(form, "payment_request", earlier.id, earlier.reference),
        next=rules.request_next(earlier),
    )
    return shown, _answer(form if form.is_submitted() else None)


# --- A recovery -----------------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/recovery")
@requires(P.AGREEMENT_READ)
def recovery(ref: str) -> Any:
    return _recovery(ref, None)


@bp.post("/grants/<ref>/recovery/establish")
@requires(P.RECOVERY_ESTABLISH)
def establish(ref: str) -> Any:
    actor, form = current_actor(), EstablishForm()
    if form.validate_on_submit():
        with form.refusals():
            made = services.establish(actor, queries.grant_recovery(actor, ref).grant.id, form.to_input())
            flash(f"The recovery {made.reference} over {made.owed} is established. The city is told.", "success")
            return see_other(".recovery", ref=ref)
    return _recovery(ref, form)


@bp.post("/grants/<ref>/recovery/book")
@requires(P.RECOVERY_BOOK)
def book_receipt(ref: str) -> Any:
    form = ReceiptForm()
    if form.validate_on_submit():
        with form.attempt():
            made = services.book_receipt(
                current_actor(), _recovery_id(ref), form.to_input(), version=form.version_shown()
            )
            flash(f"The receipt is booked. {made.owed} is still owed.", "success")
            return see_other(".recovery", ref=ref)
    return _recovery(ref, form)


@bp.post("/grants/<ref>/recovery/waive")
@requires(P.RECOVERY_WAIVE)
def waive(ref: str) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.waive(current_actor(), _recovery_id(ref), reason=reason, version=form.version_shown())
            flash("What was still owed is waived. The city is told.", "success")
            return see_other(".recovery", ref=ref)
    return _recovery(ref, form)


def _recovery_id(ref: str) -> UUID:
    found = queries.grant_recovery(current_actor(), ref).recovery
    if found is None:
        raise NotFound
    return found.id


def _recovery(ref: str, sent: Form | None) -> Any:
    actor = current_actor()
    found = queries.grant_recovery(actor, ref)
    made = found.recovery
    contested = sent if isinstance(sent, ContestedForm) else None
    if made is not None:
        _renew(contested, made.version)
    stands = {"version": str(made.version) if made else ""}
    shown = page(
        "payments/recovery.html",
        found=found,
        recovery=made,
        form=sent,
        contested=contested,
        next=rules.recovery_next(made.state) if made else None,
        last=_overtaker(contested, "recovery", made.id, made.reference) if made else None,
        establish_form=_mine(sent, EstablishForm),
        receipt_form=_mine(sent, ReceiptForm, **stands, amount=made.owed if made else None),
        waive_form=_mine(sent, ReasonForm, **stands),
    )
    return shown, 200 if sent is None else _answer(contested) if contested else 422


@bp.route("/grants/<ref>/close", methods=["GET", "POST"])
@requires(P.AGREEMENT_CLOSE)
def close(ref: str) -> Any:
    actor = current_actor()
    found = queries.grant_payments(actor, ref)
    form = CloseForm(data={"version": str(found.grant.version)})
    if form.validate_on_submit():
        with form.attempt():
            back = services.close_grant(actor, found.grant.id, note=str(form.note.data), version=form.version_shown())
            flash(f"The grant is closed. {back} went back to the call.", "success")
            return see_other("agreements.show", ref=ref)
        # What stands now, for whoever was overtaken.
        found = queries.grant_payments(actor, ref)
    return _close_page(found, form)


def _close_page(found: queries.GrantPayments, form: CloseForm) -> Any:
    _renew(form, found.grant.version)
    refusal = rules.close_refusal(found.grant.state, declined=found.grant.declined)
    shown = page(
        "payments/close.html",
        found=found,
        form=form,
        refusal=refusal,
        problems=() if refusal or form.problems else services.closure_problems(found.grant.id),
        last=_overtaker(form, "grant_agreement", found.grant.id, found.grant.reference),
    )
    return shown, _answer(form if form.is_submitted() else None)


# --- The ledger -----------------------------------------------------------------------------------------------------


@bp.get("/finance/ledger")
@requires(P.LEDGER_READ)
def ledger() -> Any:
    asked, problems = ledger_ask(request.args)
    found = queries.ledger(current_actor(), asked, paging.asked())
    return page(
        "payments/ledger.html",
        found=found,
        asked=asked,
        problems=problems,
        accounts=list(Account),
        events=list(Event),
        checked=jobs.last_run("jobs.checks.ledger"),
        typed={name: request.args.get(name, "") for name in ("from", "to", "q", "grant")},
    )


@bp.get("/finance/ledger.csv")
@requires(P.LEDGER_READ)
def ledger_csv() -> Any:
    """The same view as CSV, at most 5,000 entries, in UTF-8 with the mark that spreadsheets look for."""
    asked, problems = ledger_ask(request.args)
    if problems:
        raise Invalid(" ".join(problems.values()))
    lines = "".join(csv_line(cells) for cells in queries.ledger_lines(current_actor(), asked))
    answer = Response(CSV_MARK + lines, mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=ledger.csv"
    return answer


@bp.get("/finance/entries/<ref>")
@requires(P.LEDGER_READ)
def entry(ref: str) -> Any:
    found = queries.ledger_entry(current_actor(), ref)
    return page("payments/entry.html", found=found, words=acts.words)
