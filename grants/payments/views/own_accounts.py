"""Pages of the programme's own bank accounts: the list with its form, and one account with its confirmation and closing."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.payments import queries, services
from grants.payments.forms import ConfirmOwnAccountForm, OwnAccountForm, ReasonForm
from grants.payments.rules.own_accounts import own_account_next
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/accounts")
@requires(P.PAYMENT_ORDER_READ)
def own_accounts() -> Any:
    return _accounts(OwnAccountForm())


@bp.post("/finance/accounts")
@requires(P.OWN_ACCOUNT_ENTER)
def enter_own_account() -> Any:
    form = OwnAccountForm().of(queries.paying_programmes())
    if form.validate_on_submit():
        with form.refusals():
            reference = services.enter_own_account(current_actor(), form.to_input())
            flash(f"The account {reference} is entered. A second person has to confirm it.", "success")
            return see_other(".own_account", ref=reference)
    return _accounts(form)


def _accounts(form: OwnAccountForm) -> Any:
    actor = current_actor()
    shown = page(
        "payments/own_accounts.html",
        accounts=queries.own_accounts(actor),
        form=form.of(queries.paying_programmes()) if actor.can(P.OWN_ACCOUNT_ENTER) else None,
    )
    return shown, 422 if form.is_submitted() else 200


@bp.get("/finance/accounts/<ref>")
@requires(P.PAYMENT_ORDER_READ)
def own_account(ref: str) -> Any:
    return _account(ref, None)


@bp.post("/finance/accounts/<ref>/confirm")
@requires(P.OWN_ACCOUNT_CONFIRM)
def confirm_own_account(ref: str) -> Any:
    form = ConfirmOwnAccountForm()
    if form.validate_on_submit():
        with form.attempt():
            found = queries.own_account(current_actor(), ref)
            evidence = form.evidence.data or ""
            services.confirm_own_account(current_actor(), found.id, evidence=evidence, version=form.version_shown())
            flash(f"The account {ref} is confirmed. Payments can leave from it.", "success")
            return see_other(".own_account", ref=ref)
    return _account(ref, form)


@bp.post("/finance/accounts/<ref>/close")
@requires(P.OWN_ACCOUNT_CLOSE)
def close_own_account(ref: str) -> Any:
    form = ReasonForm()
    if form.validate_on_submit():
        with form.attempt():
            found = queries.own_account(current_actor(), ref)
            reason = form.reason.data or ""
            services.close_own_account(current_actor(), found.id, reason=reason, version=form.version_shown())
            flash(f"The account {ref} is closed.", "success")
            return see_other(".own_account", ref=ref)
    return _account(ref, form)


def _account(ref: str, sent: ContestedForm | None) -> Any:
    found = queries.own_account(current_actor(), ref)
    renew(sent, found.version)
    shown = page(
        "payments/own_account.html",
        account=found,
        form=sent,
        next=own_account_next(found.state),
        confirm_form=own_or_fresh(sent, ConfirmOwnAccountForm, version=found.version),
        close_form=own_or_fresh(sent, ReasonForm, version=found.version),
        last=overtaker(sent, "own_account", found.id, found.reference),
    )
    return shown, status_of(sent)
