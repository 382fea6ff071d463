"""Pages of payment files that were sent and that this database does not know: the list, and one with what is said of it."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.payments import queries, services
from grants.payments.forms import ReasonForm, SentElsewhereForm
from grants.payments.rules.outside import Fate
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, MoneyForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/sent-elsewhere")
@requires(P.PAYMENT_ORDER_READ)
def sent_elsewhere() -> Any:
    return page("payments/sent_elsewhere.html", files=queries.sent_elsewhere(current_actor()))


@bp.get("/finance/sent-elsewhere/<message_id>")
@requires(P.PAYMENT_ORDER_READ)
def sent_elsewhere_file(message_id: str) -> Any:
    return _shown(message_id, None)


@bp.post("/finance/sent-elsewhere/<message_id>/propose")
@requires(P.SENT_FILE_PROPOSE)
def propose_sent_file(message_id: str) -> Any:
    actor, form = current_actor(), SentElsewhereForm()
    if form.validate_on_submit():
        with form.attempt():
            found, _ = queries.sent_elsewhere_file(actor, message_id)
            services.propose(
                actor,
                found.id,
                Fate(form.decision.data),
                reason=form.reason.data or "",
                version=form.version_shown(),
            )
            flash("It is proposed. The authorising officer confirms or refuses it.", "success")
            return see_other(".sent_elsewhere_file", message_id=message_id)
    return _shown(message_id, form)


@bp.post("/finance/sent-elsewhere/<message_id>/confirm")
@requires(P.SENT_FILE_CONFIRM)
def confirm_sent_file(message_id: str) -> Any:
    actor, form = current_actor(), MoneyForm()
    if form.validate_on_submit():
        with form.attempt():
            found, _ = queries.sent_elsewhere_file(actor, message_id)
            services.confirm(actor, found.id, version=form.version_shown())
            flash("What became of the file is confirmed.", "success")
            return see_other(".sent_elsewhere_file", message_id=message_id)
    return _shown(message_id, form)


@bp.post("/finance/sent-elsewhere/<message_id>/refuse")
@requires(P.SENT_FILE_CONFIRM)
def refuse_sent_file(message_id: str) -> Any:
    actor, form = current_actor(), ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            found, _ = queries.sent_elsewhere_file(actor, message_id)
            services.refuse(actor, found.id, reason=form.reason.data or "", version=form.version_shown())
            flash("It is refused. The accounting officer looks at the file again.", "success")
            return see_other(".sent_elsewhere_file", message_id=message_id)
    return _shown(message_id, form)


@bp.post("/finance/sent-elsewhere/<message_id>/enter")
@requires(P.PAYMENT_FILE_SEND)
def enter_sent_file(message_id: str) -> Any:
    actor, form = current_actor(), MoneyForm()
    if form.validate_on_submit():
        with form.attempt():
            found, _ = queries.sent_elsewhere_file(actor, message_id)
            count = services.enter_as_sent(actor, found.id, version=form.version_shown())
            flash(f"{count} {'order is' if count == 1 else 'orders are'} recorded as sent by this file.", "success")
            return see_other(".sent_elsewhere_file", message_id=message_id)
    return _shown(message_id, form)


def _shown(message_id: str, sent: ContestedForm | None) -> Any:
    found, lines = queries.sent_elsewhere_file(current_actor(), message_id)
    renew(sent, found.version)
    version = {"version": str(found.version)}
    shown = page(
        "payments/sent_elsewhere_file.html",
        found=found,
        lines=lines,
        form=sent,
        propose_form=own_or_fresh(sent, SentElsewhereForm, **version),
        reason_form=own_or_fresh(sent, ReasonForm, **version),
        plain_form=sent if type(sent) is MoneyForm else MoneyForm(formdata=None, data=version),
        last=overtaker(sent, "sent_elsewhere", found.id, found.message_id),
    )
    return shown, status_of(sent)
