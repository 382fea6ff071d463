"""The page of additional pre-financing: what was agreed, what the city stated to have used, and what became of it."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.payments import services
from grants.payments.forms.additional import UseForm
from grants.payments.queries.additional import additional_page
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/payments/additional")
@requires(P.AGREEMENT_READ)
def additional(ref: str) -> Any:
    return _page(ref, None)


@bp.post("/grants/<ref>/payments/additional")
@requires(P.PAYMENT_REQUEST_SUBMIT)
def ask_additional(ref: str) -> Any:
    form = UseForm()
    if form.validate_on_submit():
        with form.attempt():
            actor = current_actor()
            grant_id = additional_page(actor, ref).grant.id
            made = services.ask_additional(actor, grant_id, form.to_input(), version=form.version_shown())
            flash(
                f"Additional pre-financing is asked for, as {made.reference}. The programme decides it next.", "success"
            )
            return see_other(".additional", ref=ref)
    return _page(ref, form)


def _page(ref: str, sent: UseForm | None) -> Any:
    found = additional_page(current_actor(), ref)
    renew(sent, found.version)
    shown = page(
        "payments/additional.html",
        found=found,
        sent=sent,
        last=overtaker(sent, "grant_agreement", found.grant.id, found.grant.reference),
        form=own_or_fresh(sent, UseForm, version=found.version),
    )
    return shown, status_of(sent)
