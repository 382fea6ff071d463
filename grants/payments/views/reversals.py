"""Pages of reversals: what is proposed of an entry of the ledger, and how it was decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.core.errors import NotFound
from grants.payments import queries, services
from grants.payments.forms import ProposeReversalForm, ReasonForm
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, Form, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/reversals")
@requires(P.LEDGER_READ)
def reversals() -> Any:
    return page("payments/reversals.html", found=queries.reversals(current_actor()))


@bp.get("/finance/entries/<ref>/reversal")
@requires(P.LEDGER_READ)
def reversal(ref: str) -> Any:
    return _reversal(ref, None)


@bp.post("/finance/entries/<ref>/reversal/propose")
@requires(P.LEDGER_PROPOSE_REVERSAL)
def propose_reversal(ref: str) -> Any:
    actor, form = current_actor(), ProposeReversalForm()
    if form.validate_on_submit():
        with form.refusals():
            entry = queries.reversal_page(actor, ref).entry
            services.propose_reversal(actor, entry.id, reason=form.reason.data or "")
            flash("The reversal is proposed. The authorising officer decides on it.", "success")
            return see_other(".reversal", ref=ref)
    return _reversal(ref, form)


@bp.post("/finance/entries/<ref>/reversal/confirm")
@requires(P.LEDGER_CONFIRM_REVERSAL)
def confirm_reversal(ref: str) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.confirm_reversal(current_actor(), _open_id(ref), version=form.version_shown())
            flash(f"{ref} is reversed.", "success")
            return see_other(".reversal", ref=ref)
    return _reversal(ref, form)


@bp.post("/finance/entries/<ref>/reversal/refuse")
@requires(P.LEDGER_CONFIRM_REVERSAL)
def refuse_reversal(ref: str) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.refuse_reversal(current_actor(), _open_id(ref), reason=reason, version=form.version_shown())
            flash(f"The reversal is refused. {ref} stands.", "success")
            return see_other(".reversal", ref=ref)
    return _reversal(ref, form)


@bp.post("/finance/entries/<ref>/reversal/withdraw")
@requires(P.LEDGER_PROPOSE_REVERSAL)
def withdraw_reversal(ref: str) -> Any:
    form = ContestedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.withdraw_reversal(current_actor(), _open_id(ref), version=form.version_shown())
            flash(f"The proposal is withdrawn. {ref} stands.", "success")
            return see_other(".reversal", ref=ref)
    return _reversal(ref, form)


def _open_id(ref: str) -> UUID:
    """The newest proposal of the entry, decided or not: the act says what became of it meanwhile."""
    found = queries.reversal_page(current_actor(), ref)
    if not found.proposals:
        raise NotFound
    return (found.open or found.proposals[0]).id


def _reversal(ref: str, sent: Form | None) -> Any:
    actor = current_actor()
    found = queries.reversal_page(actor, ref)
    newest = found.proposals[0] if found.proposals else None
    contested = sent if isinstance(sent, ContestedForm) else None
    if newest is not None:
        renew(contested, newest.version)
    version = {"version": str(newest.version) if newest else ""}
    shown = page(
        "payments/reversal.html",
        found=found,
        form=sent,
        contested=contested,
        last=overtaker(contested, "reversal_proposal", newest.id, ref) if newest else None,
        propose_form=own_or_fresh(sent, ProposeReversalForm),
        reason_form=own_or_fresh(sent, ReasonForm, **version),
        plain_form=sent if type(sent) is ContestedForm else ContestedForm(formdata=None, data=version),
    )
    return shown, 200 if sent is None else status_of(contested) if contested else 422
