"""Pages of the payments of one grant: what was asked for, asked for again, and the closing of the grant."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.core.errors import NotFound
from grants.core.together import alone, both
from grants.payments import queries, rules, services
from grants.payments.forms import (
    AskAgainForm,
    CloseForm,
)
from grants.payments.rules.closing import ClosingLine
from grants.payments.views.frame import P, bp, overtaker
from grants.web.forms import renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/payments")
@requires(P.AGREEMENT_READ)
def grant(ref: str) -> Any:
    found = queries.grant_payments(current_actor(), ref)
    notes = rules.payment_notes(
        found.grant.state, found.grant.amount_note, found.position.room, declined=found.grant.declined
    )
    return page("payments/grant.html", found=found, notes=notes)


@bp.route("/grants/<ref>/payments/<asked>/again", methods=["GET", "POST"])
@requires(P.PAYMENT_REQUEST_SUBMIT)
def ask_again(ref: str, asked: str) -> Any:
    actor = current_actor()
    found = queries.grant_payments(actor, ref)
    earlier = _request_in(found, asked)
    form = AskAgainForm(data={"version": str(earlier.version)})
    if form.validate_on_submit():
        with form.attempt():
            made = services.ask_again(actor, earlier.id, reply=form.reply.data or "", version=form.version_shown())
            flash(f"The payment is asked for again, as {made.reference}. The programme decides it next.", "success")
            return see_other(".grant", ref=ref)
        # What stands now, for whoever was overtaken.
        found = queries.grant_payments(actor, ref)
    return _again_page(found, asked, form)


def _request_in(found: queries.GrantPayments, asked: str) -> rules.RequestView:
    for each in found.requests:
        if each.reference == asked:
            return each
    raise NotFound


def _again_page(found: queries.GrantPayments, asked: str, form: AskAgainForm) -> Any:
    earlier = _request_in(found, asked)
    renew(form, earlier.version)
    shown = page(
        "payments/again.html",
        grant=found.grant,
        asked=earlier,
        form=form,
        refusal=rules.again_refusal(earlier, found.grant.final_amount),
        last=overtaker(form, "payment_request", earlier.id, earlier.reference),
        next=rules.request_next(earlier),
    )
    return shown, status_of(form)


@bp.route("/grants/<ref>/close", methods=["GET", "POST"])
@requires(P.AGREEMENT_CLOSE)
def close(ref: str) -> Any:
    actor = current_actor()
    found, lines = _to_close(ref)
    form = CloseForm(data={"version": str(found.grant.version)})
    if form.validate_on_submit():
        with form.attempt():
            back = services.close_grant(actor, found.grant.id, note=str(form.note.data), version=form.version_shown())
            flash(f"The grant is closed. {back} went back to the call.", "success")
            return see_other("agreements.show", ref=ref)
        # What stands now, for whoever was overtaken.
        found, lines = _to_close(ref)
    return _close_page(found, lines, form)


def _to_close(ref: str) -> tuple[queries.GrantPayments, tuple[ClosingLine, ...]]:
    """The payments of a grant and its closing checklist, read side by side."""
    actor = current_actor()
    return alone(both(queries.grant_payments.asking(actor, ref), queries.closing_lines.asking(actor, ref)))


def _close_page(found: queries.GrantPayments, lines: tuple[ClosingLine, ...], form: CloseForm) -> Any:
    renew(form, found.grant.version)
    refusal = rules.close_refusal(found.grant.state, declined=found.grant.declined)
    shown = page(
        "payments/close.html",
        found=found,
        form=form,
        refusal=refusal,
        lines=() if refusal else lines,
        last=overtaker(form, "grant_agreement", found.grant.id, found.grant.reference),
    )
    return shown, status_of(form)
