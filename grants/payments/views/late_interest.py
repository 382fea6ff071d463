"""The page of the interest on a payment that came late: reckoned, confirmed or refused; the city reads every number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash

from grants.payments import services
from grants.payments.forms.late_interest import ConfirmLateInterestForm, LateInterestForm, RefuseLateInterestForm
from grants.payments.queries.late_interest import LatePage, late_page
from grants.payments.rules.interest import DAY_COUNT, MARGIN
from grants.payments.rules.late_interest import MINIMUM, PublicRule
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web.forms import ContestedForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other

LATE = "/grants/<ref>/payments/<asked>/interest"


@bp.get(LATE)
@requires(P.AGREEMENT_READ)
def late_interest(ref: str, asked: str) -> Any:
    return _page(ref, asked, None)


@bp.post(LATE)
@requires(P.INTEREST_BOOK)
def book_late_interest(ref: str, asked: str) -> Any:
    form = LateInterestForm()

    def deed(found: LatePage) -> str:
        owed = services.book_late_interest(
            current_actor(), found.request_id, form.to_input(), version=form.version_shown()
        )
        return f"Interest of {owed} is reckoned. Another person decides on it next."

    return _step(ref, asked, form, deed)


@bp.post(f"{LATE}/confirm")
@requires(P.INTEREST_CONFIRM)
def confirm_late_interest(ref: str, asked: str) -> Any:
    form = ConfirmLateInterestForm()

    def deed(found: LatePage) -> str:
        owed = services.confirm_late_interest(current_actor(), found.request_id, version=form.version_shown())
        return (
            f"Interest of {owed} is confirmed. The initiator prepares an order for it next."
            if owed
            else "It is confirmed that nothing is owed."
        )

    return _step(ref, asked, form, deed)


@bp.post(f"{LATE}/refuse")
@requires(P.INTEREST_CONFIRM)
def refuse_late_interest(ref: str, asked: str) -> Any:
    form = RefuseLateInterestForm()

    def deed(found: LatePage) -> str:
        services.refuse_late_interest(
            current_actor(), found.request_id, reason=form.reason.data or "", version=form.version_shown()
        )
        return "The interest is refused; it can be reckoned anew."

    return _step(ref, asked, form, deed)


def _step(ref: str, asked: str, form: ContestedForm, deed: Callable[[LatePage], str]) -> Any:
    if form.validate_on_submit():
        with form.attempt():
            flash(deed(late_page(current_actor(), ref, asked)), "success")
            return see_other(".late_interest", ref=ref, asked=asked)
    return _page(ref, asked, form)


def _page(ref: str, asked: str, sent: ContestedForm | None) -> Any:
    actor = current_actor()
    found = late_page(actor, ref, asked)
    renew(sent, found.version)
    rule = PublicRule.OWED_TO_ALL if found.private else PublicRule.NONE_TO_PUBLIC
    shown = page(
        "payments/late_interest.html",
        found=found,
        contested=sent,
        last=overtaker(sent, "payment_request", found.request_id, found.reference),
        locked=actor.user_id in found.booked_by,
        book_form=own_or_fresh(
            sent,
            LateInterestForm,
            version=found.version,
            public_rule=rule.value,
            margin=str(MARGIN),
            day_count=str(DAY_COUNT),
            minimum=MINIMUM,
        ),
        confirm_form=own_or_fresh(sent, ConfirmLateInterestForm, version=found.version),
        refuse_form=own_or_fresh(sent, RefuseLateInterestForm, version=found.version),
    )
    return shown, status_of(sent)
