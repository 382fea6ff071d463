"""Interest on a debt that was paid late, on the page of the debt: reckoned, confirmed or refused, waived."""

from __future__ import annotations

from typing import Any

from grants.payments import services
from grants.payments.forms.recoveries import (
    ConfirmInterestForm,
    InterestForm,
    RefuseInterestForm,
    WaiveInterestForm,
)
from grants.payments.rules import RecoverySummary, RecoveryView
from grants.payments.views.frame import P, bp
from grants.payments.views.recoveries import DEBT, DECISIONS, debt_of, take_step
from grants.web.downloads import send
from grants.web.forms import received
from grants.web.routing import current_actor, requires


def _summary(row: RecoveryView, amount: Any = None) -> RecoverySummary:
    return RecoverySummary(row.id, row.reference, row.state, amount or row.owed, row.number)


@bp.post(f"{DEBT}/interest")
@requires(P.INTEREST_BOOK)
def book_interest(ref: str, number: int) -> Any:
    form = InterestForm()
    return take_step(ref, number, form, lambda row: _summary(row, services.book_interest(
        current_actor(), row.id, form.to_input(), version=form.version_shown()
    )), "Interest of {owed} is reckoned. Another person confirms it next.")  # fmt: skip


@bp.post(f"{DEBT}/interest/confirm")
@requires(P.INTEREST_CONFIRM)
def confirm_interest(ref: str, number: int) -> Any:
    form = ConfirmInterestForm()
    return take_step(ref, number, form, lambda row: _summary(row, services.confirm_interest(
        current_actor(), row.id, version=form.version_shown()
    )), "Interest of {owed} is confirmed and owed from now on.")  # fmt: skip


@bp.post(f"{DEBT}/interest/refuse")
@requires(P.INTEREST_CONFIRM)
def refuse_interest(ref: str, number: int) -> Any:
    form = RefuseInterestForm()

    def deed(row: RecoveryView) -> RecoverySummary:
        services.refuse_interest(current_actor(), row.id, reason=form.reason.data or "", version=form.version_shown())
        return _summary(row)

    return take_step(ref, number, form, deed, "The interest is refused; it can be reckoned anew.")


@bp.get(f"{DEBT}/interest/decision")
@requires(P.AGREEMENT_READ)
def interest_waiver(ref: str, number: int) -> Any:
    return send(services.open_interest_waiver(current_actor(), debt_of(ref, number).id))


@bp.post(f"{DEBT}/interest/waive")
@requires(P.INTEREST_WAIVE)
def waive_interest(ref: str, number: int) -> Any:
    form = WaiveInterestForm()

    def deed(row: RecoveryView) -> RecoverySummary | None:
        document = received(form.file, allowed=DECISIONS)
        if document is None:
            return None
        waived = services.waive_interest(
            current_actor(), row.id, reason=form.reason.data or "", document=document, version=form.version_shown()
        )
        return _summary(row, waived)

    return take_step(ref, number, form, deed, "Interest of {owed} is waived.")
