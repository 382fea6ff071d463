"""Pages of a recovery: established, received, waived."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.core.errors import NotFound
from grants.payments import queries, rules, services
from grants.payments.forms import (
    EstablishForm,
    ReasonForm,
    ReceiptForm,
)
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, Form, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


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
    form = ReceiptForm().of(queries.accounts_of_grant(current_actor(), ref))
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
        renew(contested, made.version)
    stands = {"version": str(made.version) if made else ""}
    shown = page(
        "payments/recovery.html",
        found=found,
        recovery=made,
        form=sent,
        contested=contested,
        next=rules.recovery_next(made.state) if made else None,
        last=overtaker(contested, "recovery", made.id, made.reference) if made else None,
        establish_form=own_or_fresh(sent, EstablishForm),
        receipt_form=sent
        if isinstance(sent, ReceiptForm)
        else own_or_fresh(sent, ReceiptForm, **stands, amount=made.owed if made else None).of(
            queries.accounts_of_grant(actor, ref) if made else ()
        ),
        waive_form=own_or_fresh(sent, ReasonForm, **stands),
    )
    return shown, 200 if sent is None else status_of(contested) if contested else 422
