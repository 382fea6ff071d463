"""The pages that say how a figure is made up: of a grant's money, of a request, a debt, or what is held for a partner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for

from grants.payments.queries import amounts
from grants.payments.queries.amounts import Explained
from grants.payments.rules.amounts import Figure, Lead, Place
from grants.payments.rules.amounts_asked import RequestFigure
from grants.payments.rules.amounts_owed import DebtFigure
from grants.payments.rules.amounts_passed import PartnerFigure
from grants.payments.views.frame import P, bp
from grants.web import paging
from grants.web.routing import current_actor, page, requires


def _any(kinds: Any) -> str:
    return "<any({}):figure>".format(", ".join(f'"{each.value}"' for each in kinds))


@bp.get(f"/grants/<ref>/amounts/{_any(Figure)}")
@requires(P.AGREEMENT_READ)
def amount(ref: str, figure: str) -> Any:
    found = amounts.explained(current_actor(), ref, Figure(figure), paging.asked())
    return _page(found, lambda lead: _grant_place(found, lead), agreed=figure in _IN_AGREEMENT)


_IN_AGREEMENT = (Figure.MAXIMUM, Figure.CEILING, Figure.ROOM, Figure.COUNTED)


@bp.get(f"/grants/<ref>/payments/<asked>/amounts/{_any(RequestFigure)}")
@requires(P.AGREEMENT_READ)
def asked_amount(ref: str, asked: str, figure: str) -> Any:
    found = amounts.request_explained(current_actor(), ref, asked, RequestFigure(figure), paging.asked())

    def leads(lead: Lead) -> str:
        if lead.place is Place.REQUEST_FIGURE:
            return url_for(".asked_amount", ref=ref, asked=asked, figure=lead.name)
        return _grant_place(found, lead)

    staff = current_actor().can(P.PAYMENT_ORDER_READ)
    return _page(found, leads, of=(asked, url_for(".request_page", ref=asked) if staff else ""))


@bp.get(f"/grants/<ref>/recovery/<int(max=9999):number>/amounts/{_any(DebtFigure)}")
@requires(P.AGREEMENT_READ)
def debt_amount(ref: str, number: int, figure: str) -> Any:
    found = amounts.debt_explained(current_actor(), ref, number, DebtFigure(figure), paging.asked())

    def leads(lead: Lead) -> str:
        if lead.place is Place.DEBT_FIGURE:
            return url_for(".debt_amount", ref=ref, number=number, figure=lead.name)
        return _grant_place(found, lead)

    return _page(found, leads, of=(f"Recovery {number}", url_for(".debt", ref=ref, number=number)))


@bp.get(f"/grants/<ref>/distribution/partners/<int(max=9999):place>/amounts/{_any(PartnerFigure)}")
@requires(P.AGREEMENT_READ)
def partner_amount(ref: str, place: int, figure: str) -> Any:
    found = amounts.partner_explained(current_actor(), ref, place, PartnerFigure(figure))

    def leads(lead: Lead) -> str:
        if lead.place is Place.PARTNER_FIGURE:
            return url_for(".partner_amount", ref=ref, place=place, figure=lead.name)
        return _grant_place(found, lead)

    return _page(found, leads, of=("Passed on to partners", url_for(".distribution", ref=ref)))


def _page(
    found: Explained, leads: Callable[[Lead], str], *, of: tuple[str, str] = ("", ""), agreed: bool = False
) -> Any:
    lines = [(line, leads(line.leads) if line.leads else "") for line in found.explanation.lines]
    return page("payments/amount.html", found=found, lines=lines, of=of, agreed=agreed)


def _grant_place(found: Explained, lead: Lead) -> str:
    """Where a part leads, as far as this person may go there; empty where it leads nowhere."""
    actor, ref = current_actor(), found.grant.reference
    match lead.place:
        case Place.GRANT_FIGURE:
            return url_for(".amount", ref=ref, figure=lead.name)
        case Place.ENTRIES:
            return url_for(".ledger", grant=ref, event=lead.name) if actor.can(P.LEDGER_READ) else ""
        case Place.REPORT:
            return url_for("reporting.show", ref=lead.name) if actor.can(P.REPORT_READ) else ""
        case Place.ORDER:
            return url_for(".order", ref=lead.name) if actor.can(P.PAYMENT_ORDER_READ) else ""
        case Place.DEBT:
            return url_for(".debt", ref=lead.of, number=int(lead.name))
        case Place.PASSED_ON:
            return url_for(".passed_on", ref=ref, number=int(lead.name))
        case Place.REQUEST_FIGURE | Place.DEBT_FIGURE | Place.PARTNER_FIGURE:
            raise AssertionError("the page of the figure says where its own figures are")
