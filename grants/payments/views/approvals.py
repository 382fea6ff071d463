"""Pages of the inbox of the circuit and of the payment lists that leave it."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.payments import queries, services
from grants.payments.forms import (
    ExportForm,
)
from grants.payments.views.frame import P, bp
from grants.web import downloads, paging
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other

# Under the inbox; all of them have a page of their own.
NEWEST_LISTS = 10


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
