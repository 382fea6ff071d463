"""Pages of what a coordinator holds for its partners: reported as passed on, confirmed or refused, waived; and of all grants."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.core import clock, files
from grants.payments import queries, services
from grants.payments.forms.distribution import (
    ConfirmPassedOnForm,
    PassedOnForm,
    RefusePassedOnForm,
    WaiveHeldForm,
)
from grants.payments.rules.distribution import DistributionView, distribution_next
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web import downloads
from grants.web.forms import ContestedForm, Form, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/distribution")
@requires(P.AGREEMENT_READ)
def distribution(ref: str) -> Any:
    """The balance of each partner, and what was reported of it."""
    return _distribution(ref, None)


@bp.post("/grants/<ref>/distribution/report")
@requires(P.DISTRIBUTION_REPORT)
def report_passed_on(ref: str) -> Any:
    actor = current_actor()
    found = queries.distribution_page(actor, ref)
    form = PassedOnForm().of(found.balances)
    if form.validate_on_submit():
        with form.refusals():
            proof = files.receive(form.upload) if form.upload else None
            made = services.report_passed_on(actor, found.grant.id, form.to_input(), proof)
            flash(f"{made} is reported. The partner is asked whether the money came.", "success")
            return see_other(".distribution", ref=ref)
    return _distribution(ref, form)


@bp.post("/grants/<ref>/distribution/waive")
@requires(P.DISTRIBUTION_WAIVE)
def waive_held(ref: str) -> Any:
    actor = current_actor()
    found = queries.distribution_page(actor, ref)
    form = WaiveHeldForm().of(found.balances)
    if form.validate_on_submit():
        with form.refusals():
            waived = services.waive_distribution(actor, found.grant.id, form.whose, reason=form.reason.data or "")
            flash(f"{waived} need not be shown passed on before the grant is closed.", "success")
            return see_other(".distribution", ref=ref)
    return _distribution(ref, form)


def _distribution(ref: str, sent: Form | None) -> Any:
    found = queries.distribution_page(current_actor(), ref)
    shown = page(
        "payments/distribution.html",
        found=found,
        grant=found.grant,
        today=clock.today(),
        form=sent,
        report_form=own_or_fresh(sent, PassedOnForm).of(found.balances),
        waive_form=own_or_fresh(sent, WaiveHeldForm).of(found.balances),
    )
    return shown, 200 if sent is None else 422


@bp.get("/grants/<ref>/distribution/<int(max=2147483647):number>")
@requires(P.AGREEMENT_READ)
def passed_on(ref: str, number: int) -> Any:
    """One transfer with its proof, and who may say whether the money came."""
    return _passed_on(ref, number, None)


@bp.post("/grants/<ref>/distribution/<int(max=2147483647):number>/confirm")
@requires(P.DISTRIBUTION_CONFIRM)
def confirm_passed_on(ref: str, number: int) -> Any:
    form = ConfirmPassedOnForm()
    if form.validate_on_submit():
        with form.attempt():
            left = services.confirm_passed_on(current_actor(), _line(ref, number).id, version=form.version_shown())
            flash(f"Confirmed. The coordinator still holds {left} for this partner.", "success")
            return see_other(".passed_on", ref=ref, number=number)
    return _passed_on(ref, number, form)


@bp.post("/grants/<ref>/distribution/<int(max=2147483647):number>/refuse")
@requires(P.DISTRIBUTION_CONFIRM)
def refuse_passed_on(ref: str, number: int) -> Any:
    form = RefusePassedOnForm()
    if form.validate_on_submit():
        with form.attempt():
            reason = form.reason.data or ""
            services.refuse_passed_on(
                current_actor(), _line(ref, number).id, reason=reason, version=form.version_shown()
            )
            flash("Refused. The coordinator is told why.", "success")
            return see_other(".passed_on", ref=ref, number=number)
    return _passed_on(ref, number, form)


@bp.post("/grants/<ref>/distribution/<int(max=2147483647):number>/withdraw")
@requires(P.DISTRIBUTION_REPORT)
def withdraw_passed_on(ref: str, number: int) -> Any:
    form = ConfirmPassedOnForm()
    if form.validate_on_submit():
        with form.attempt():
            services.withdraw_passed_on(current_actor(), _line(ref, number).id, version=form.version_shown())
            flash("The report is withdrawn.", "success")
            return see_other(".distribution", ref=ref)
    return _passed_on(ref, number, form)


@bp.get("/grants/<ref>/distribution/<int(max=2147483647):number>/files/<sha256>")
@requires(P.FILE_READ)
def passed_on_file(ref: str, number: int, sha256: str) -> Any:
    """The proof of a transfer."""
    return downloads.send(services.open_proof(current_actor(), _line(ref, number).id, sha256))


def _line(ref: str, number: int) -> DistributionView:
    return queries.distribution_page(current_actor(), ref).line(number)


def _passed_on(ref: str, number: int, sent: Form | None) -> Any:
    found = queries.distribution_page(current_actor(), ref)
    line = found.line(number)
    contested = sent if isinstance(sent, ContestedForm) else None
    renew(contested, line.version)
    stands = {"version": str(line.version)}
    shown = page(
        "payments/passed_on.html",
        grant=found.grant,
        line=line,
        why_not=found.why_not(line),
        form=sent,
        contested=contested,
        next=distribution_next(line.state),
        last=overtaker(contested, "distribution", line.id, line.reference),
        confirm_form=own_or_fresh(sent, ConfirmPassedOnForm, **stands),
        refuse_form=own_or_fresh(sent, RefusePassedOnForm, **stands),
    )
    return shown, status_of(contested) if contested else 200


@bp.get("/finance/held")
@requires(P.PAYMENT_ORDER_READ)
def held_for_partners() -> Any:
    """What coordinators hold for partners, what is overdue first."""
    overdue = request.args.get("show") == "overdue"
    rows = queries.held_for_partners(current_actor(), overdue=overdue, today=clock.today())
    return page("payments/held.html", rows=rows, overdue=overdue, today=clock.today())
