"""Pages of the inbox of the circuit, and of the files in which orders leave: building, looking, sending, discarding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, request

from grants.core.errors import NotFound
from grants.payments import queries, rules, services
from grants.payments.forms import BankRejectForm, BuildForm, ReasonForm, SendForm
from grants.payments.rules.own_accounts import OwnAccountView
from grants.payments.states import OwnAccountState
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web import downloads, paging
from grants.web.forms import ContestedForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other

# Under the inbox; all of them have a page of their own.
NEWEST_LISTS = 10


@bp.get("/finance/approvals")
@requires(P.PAYMENT_ORDER_READ)
def approvals() -> Any:
    actor = current_actor()
    return page(
        "payments/approvals.html",
        inbox=queries.inbox(actor, paging.asked()),
        batches=queries.batches(actor, paging.Page(size=NEWEST_LISTS)),
    )


@bp.get("/finance/batches")
@requires(P.PAYMENT_ORDER_READ)
def batches() -> Any:
    return page("payments/batches.html", batches=queries.batches(current_actor(), paging.asked()))


@bp.get("/finance/batches/new")
@requires(P.PAYMENT_FILE_BUILD)
def new_batch() -> Any:
    return _build(None)


@bp.post("/finance/batches/new")
@requires(P.PAYMENT_FILE_BUILD)
def build() -> Any:
    actor, form = current_actor(), BuildForm()
    account = _chosen(_accounts())
    if account is None:
        raise NotFound
    ready = queries.payable_orders(actor, account.programme_id)
    form.of([row.reference for row in ready if row.yours])
    gone = [each for each in form.orders.data or [] if each not in form.listed]
    form.gone = queries.why_gone(actor, gone)
    if form.validate_on_submit():
        with form.refusals():
            ids = queries.order_ids_of(actor, form.orders.data or [])
            built = services.build(actor, ids, form.to_input(account.id))
            flash(f"The payment file {built.reference} is built; it is made and checked now.", "success")
            return see_other(".batch", ref=built.reference)
    return _build(form)


def _accounts() -> tuple[OwnAccountView, ...]:
    """The accounts payments may leave from, as far as the person reads them."""
    return tuple(each for each in queries.own_accounts(current_actor()) if each.state is OwnAccountState.CONFIRMED)


def _chosen(accounts: Sequence[OwnAccountView]) -> OwnAccountView | None:
    """The account in the address, else the first one."""
    asked = request.args.get("account", "")
    return next((each for each in accounts if asked in ("", each.reference)), None)


def _build(sent: BuildForm | None) -> Any:
    accounts = _accounts()
    account = _chosen(accounts)
    rows = queries.payable_orders(current_actor(), account.programme_id) if account else ()
    ready = [row.reference for row in rows if row.yours]
    form = sent or BuildForm(formdata=None, data={"orders": ready}).of(ready)
    shown = page("payments/build.html", account=account, accounts=accounts, rows=rows, form=form)
    return shown, 200 if sent is None else 409 if sent.gone else 422


@bp.get("/finance/batches/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def batch(ref: str) -> Any:
    return _batch(ref, None)


@bp.post("/finance/batches/<ref>/send")
@requires(P.PAYMENT_FILE_SEND)
def send_batch(ref: str) -> Any:
    form = SendForm()
    if form.validate_on_submit() and form.control_total.data is not None:
        with form.attempt():
            sent = services.send(
                current_actor(),
                _batch_id(ref),
                count=int(form.count.data or 0),
                control_total=form.control_total.data,
                version=form.version_shown(),
            )
            flash(f"The payment file {ref} is sent: {_counted(sent.orders)}, {sent.total}.", "success")
            return see_other(".batch", ref=ref)
    return _batch(ref, form)


@bp.post("/finance/batches/<ref>/discard")
@requires(P.PAYMENT_FILE_DISCARD)
def discard_batch(ref: str) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.discard(current_actor(), _batch_id(ref), reason=reason, version=form.version_shown())
            flash(f"The payment file {ref} is void. Its orders can be put into another file.", "success")
            return see_other(".batch", ref=ref)
    return _batch(ref, form)


@bp.post("/finance/batches/<ref>/bank-reject")
@requires(P.PAYMENT_ORDER_EXECUTE)
def bank_reject_batch(ref: str) -> Any:
    form = BankRejectForm()
    if form.validate_on_submit() and form.on.data:
        with form.attempt():
            said, day = form.said.data or "", form.on.data
            services.reject_file_by_bank(
                current_actor(), _batch_id(ref), reason=said, on=day, version=form.version_shown()
            )
            flash(f"The bank refused {ref}: its orders are rejected, and are issued again one by one.", "success")
            return see_other(".batch", ref=ref)
    return _batch(ref, form)


def _batch_id(ref: str) -> UUID:
    return queries.batch_id_of(current_actor(), ref)


def _batch(ref: str, sent: ContestedForm | None) -> Any:
    actor = current_actor()
    found, locks = queries.batch_to_send(actor, ref)
    renew(sent, found.version)
    shown = page(
        "payments/batch.html",
        batch=found,
        form=sent,
        next=rules.batch_next(found.state),
        locks=locks,
        send_form=own_or_fresh(sent, SendForm, version=found.version),
        discard_form=own_or_fresh(sent, ReasonForm, version=found.version),
        reject_form=own_or_fresh(sent, BankRejectForm, version=found.version),
        last=overtaker(sent, "payment_batch", found.id, found.reference),
    )
    return shown, status_of(sent)


def _counted(orders: int) -> str:
    return "1 order" if orders == 1 else f"{orders} orders"


@bp.get("/finance/batches/<ref>/file")
@requires(P.PAYMENT_ORDER_EXECUTE)
def batch_file(ref: str) -> Any:
    return downloads.send(services.open_batch_file(current_actor(), _batch_id(ref)))
