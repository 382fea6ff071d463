"""Pages of what is kept and what is published: the closing checklist, legal holds with the clock of records, recipients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import flash, request

from grants.core.errors import Conflict, NotFound, quoted
from grants.core.paging import Page
from grants.payments import queries, services
from grants.payments.forms.legal_holds import HoldForm, LiftLegalHoldForm
from grants.payments.rules.recipients import Recipient
from grants.payments.rules.retaining import KEPT_LINES
from grants.payments.views.frame import P, bp, overtaker
from grants.web import downloads, paging
from grants.web.downloads import CUT_OFF, LIST_ROWS_MAX
from grants.web.forms import renew, status_of
from grants.web.routing import current_actor, page, requires, see_other

RECIPIENT_COLUMNS = (
    *(
        "year",
        "recipient",
        "role",
        "purpose",
        "amount_eur",
        "place",
        "country",
        "grant",
        "signed",
        "call",
        "call_title",
    ),
    "withheld_because",
)


@bp.get("/grants/<ref>/closing")
@requires(P.AGREEMENT_READ)
def closing(ref: str) -> Any:
    """What must be settled before a grant is closed, for both sides."""
    return page("payments/closing.html", found=queries.closing_page(current_actor(), ref))


# --- what is kept ---------------------------------------------------------------------------------------------


@bp.get("/finance/retention")
@requires(P.LEDGER_READ)
def retention() -> Any:
    """How long records are kept, and the legal holds."""
    return _retention()


@bp.post("/finance/retention/holds")
@requires(P.LEGAL_HOLD_SET)
def set_legal_hold() -> Any:
    form, status = HoldForm(), 422
    if form.validate_on_submit():
        try:
            with form.refusals():
                number = services.set_hold(current_actor(), form.to_input())
                flash(f"Hold {number} stands. Nothing is deleted by the program until it is lifted.", "success")
                return see_other(".retention")
        except NotFound:
            said = f"There is no call or grant {quoted(str(form.reference.data))} that you may hold. Check it."
            form.reference.errors = [*form.reference.errors, said]
        except Conflict as error:
            form.problems.append(str(error))
            status = 409
    return _retention(form), status


def _retention(form: HoldForm | None = None) -> Any:
    actor = current_actor()
    return page(
        "payments/retention.html",
        found=queries.retention(actor, paging.asked()),
        kept=KEPT_LINES,
        form=(form or HoldForm(formdata=None)) if actor.can(P.LEGAL_HOLD_SET) else None,
    )


@bp.route("/finance/retention/holds/<int(max=2147483647):number>/lift", methods=["GET", "POST"])
@requires(P.LEGAL_HOLD_LIFT)
def lift_legal_hold(number: int) -> Any:
    actor = current_actor()
    found = queries.hold(actor, number)
    form = LiftLegalHoldForm(data={"version": str(found.version)})
    if form.validate_on_submit():
        with form.attempt():
            services.lift_legal_hold(actor, found.id, reason=str(form.reason.data), version=form.version_shown())
            flash(f"Hold {number} is lifted.", "success")
            return see_other(".retention")
        found = queries.hold(actor, number)
    renew(form, found.version)
    last = overtaker(form, "legal_hold", found.id, str(number))
    return page("payments/lift_legal_hold.html", found=found, form=form, last=last), status_of(form)


# --- what is published ----------------------------------------------------------------------------------------


@bp.get("/finance/recipients")
@requires(P.LEDGER_READ)
def recipients() -> Any:
    """The recipients of a year, as they are published."""
    year, unknown = _year()
    found = queries.recipients(current_actor(), paging.asked(), year=year, call=request.args.get("call", ""))
    return page("payments/recipients.html", found=found, unknown_year=unknown)


@bp.get("/finance/recipients.<any(csv, xlsx):kind>")
@requires(P.LEDGER_READ)
def recipients_file(kind: str) -> Any:
    """The same list as a file to publish."""
    year, _ = _year()
    found = queries.recipients(current_actor(), Page(size=LIST_ROWS_MAX), year=year, call=request.args.get("call", ""))
    return downloads.list_file(f"recipients-{found.year}", RECIPIENT_COLUMNS, _recipient_lines(found), kind)


def _year() -> tuple[int | None, str]:
    """The year that is asked for, and what was typed where it is none."""
    typed = request.args.get("year", "").strip()
    if typed.isdecimal() and len(typed) == 4:
        return int(typed), ""
    return None, typed


def _recipient_lines(found: queries.RecipientsPage) -> Iterator[tuple[object, ...]]:
    for each in found.rows.items:
        yield _cells(found.year, each)
    if found.rows.next_key is not None:
        yield (CUT_OFF, *(None,) * (len(RECIPIENT_COLUMNS) - 1))


def _cells(year: int, each: Recipient) -> tuple[object, ...]:
    return (
        *(year, each.name, each.role, each.purpose, each.amount, each.place, each.country, each.grant or None),
        *(each.signed_on, each.call, each.call_title, each.ground or None),
    )
