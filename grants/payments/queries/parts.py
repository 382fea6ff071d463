"""Reads of by whose costs a request is: what it asks for each partner, where the partners stand, and what was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.states import PaymentKind
from grants.budgets import queries as budgets
from grants.budgets import rules as budget_rules
from grants.budgets.models import Budget
from grants.core.db import among, db
from grants.core.money import ZERO, Money, total
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerLeg
from grants.ledger.queries.sums import credits_sum, debits_sum
from grants.ledger.rules import natural
from grants.payments import rules
from grants.payments.models import (
    FinancialCertificate,
    PaymentCancellation,
    PaymentOrder,
    PaymentRequest,
    PaymentRequestPart,
)
from grants.payments.rules import Amounts, Part, PartLine, Partners
from grants.payments.states import CertificateState, RequestState
from grants.reporting.models import AcceptedCost, PeriodicReport
from grants.reporting.states import ReportState


@dataclass(frozen=True, slots=True)
class Basis:
    """What a request asks for, by whose costs, and where the partners stand; ``by_costs`` where reports say whose they are.

    Without that the agreement's own shares part it: what is accepted of a report that names no partner is everybody's.
    """

    requested: Amounts
    by_costs: bool
    partners: Partners
    names: dict[UUID, str]
    categories: dict[str, str]

    def lines(self, parts: Iterable[Part]) -> tuple[PartLine, ...]:
        """The parts as a page shows them, in the order of the agreement."""
        order = {partner: place for place, partner in enumerate(self.partners.maxima)}
        return tuple(
            PartLine(
                part,
                self.names.get(part.organisation_id, ""),
                self.categories.get(part.category, part.category) if part.category else "",
            )
            for part in sorted(parts, key=lambda part: (order.get(part.organisation_id, 99), part.category or ""))
        )


@reader
def basis_of(request: Any) -> Asking[Basis]:
    """By whose costs a request is asked for; one statement, however many partners, reports and categories.

    ``request`` is its row or its view: only its id and its grant's are read of it.
    """
    grant_id = request.grant_id
    reports = select(PeriodicReport.id).where(PeriodicReport.grant_id == grant_id)
    of_reports = select(PeriodicReport.budget_id).where(PeriodicReport.grant_id == grant_id)
    of_requests = select(PaymentRequest.id).where(PaymentRequest.grant_id == grant_id)
    partners = select(Beneficiary.organisation_id).where(Beneficiary.grant_id == grant_id)
    holders, requests, kept, accepted, costs, actual, names, without, cancelled = yield [
        select(Beneficiary).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.position, Beneficiary.id),
        select(PaymentRequest).where(PaymentRequest.grant_id == grant_id).order_by(PaymentRequest.number),
        _parts_in_order().where(PaymentRequestPart.request_id.in_(of_requests)),
        select(PeriodicReport)
        .where(PeriodicReport.grant_id == grant_id, PeriodicReport.state == ReportState.ACCEPTED.value)
        .order_by(PeriodicReport.number),
        select(AcceptedCost)
        .where(AcceptedCost.report_id.in_(reports))
        .order_by(AcceptedCost.organisation_id, AcceptedCost.category),
        select(Budget.id, Budget.rules).where(Budget.id.in_(of_reports)),
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(partners)),
        select(FinancialCertificate.organisation_id, Grant.certificate_from)
        .join(Grant, Grant.id == FinancialCertificate.grant_id)
        .where(
            FinancialCertificate.grant_id == grant_id,
            FinancialCertificate.state == CertificateState.DONE_WITHOUT.value,
        ),
        select(PaymentCancellation)
        .where(PaymentCancellation.request_id.in_(of_requests))
        .order_by(PaymentCancellation.request_id, PaymentCancellation.number),
    ]
    maxima: dict[UUID | None, Money] = {row.organisation_id: row.maximum for row in holders}
    by_request = parts_by_request(requests, kept, maxima)
    for row in cancelled:
        # Nobody had it: it counts as never authorised.
        by_request[row.request_id] = list(
            rules.less_cancelled(by_request[row.request_id], row.amount, row.retained, row.organisation_id)
        )
    most = {row.organisation_id: row.certificate_from for row in without}
    by_costs = told_by_costs(accepted, costs)
    found = _Found(maxima, requests, by_request, contributions(accepted, costs, actual, maxima), most, by_costs)
    return Basis(
        requested=found.requested(next(row for row in requests if row.id == request.id)),
        by_costs=by_costs,
        partners=found.partners(request.id),
        names={row.id: row.name for row in names},
        categories=_labels(actual),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of a grant, from which a request's basis follows."""

    maxima: dict[UUID | None, Money]
    requests: Sequence[Any]
    by_request: dict[UUID, list[Part]]
    contributions: dict[UUID, Amounts]
    # The most of those who brought no certificate.
    uncertified: dict[UUID, Money]
    # Whether every accepted report says whose its costs are.
    by_costs: bool

    def requested(self, request: Any) -> Amounts:
        """The parts of what one request asks for; they sum to it."""
        match PaymentKind(request.kind):
            case PaymentKind.PREFINANCING:
                wanted: Amounts = {(partner, None): maximum for partner, maximum in self.maxima.items()}
                return rules.within(request.requested, wanted)
            case PaymentKind.ADDITIONAL:
                return self._more_in_advance(request)
            case PaymentKind.INTERIM:
                return self.contributions[request.report_id]
            case PaymentKind.BALANCE:
                return self._final(request.requested)
            case PaymentKind.LATE_INTEREST:
                return {(next(iter(self.maxima), None), None): request.requested}

    def _more_in_advance(self, request: Any) -> Amounts:
        """Additional pre-financing by the partners' maxima, to nobody above what its own leaves.

        What by now nobody has room for is still asked for, by the maxima, and refused when it is decided.
        """
        authorised = self.partners(request.id).authorised
        most = {partner: max(each - authorised.get(partner, ZERO), ZERO) for partner, each in self.maxima.items()}
        wanted: Amounts = {(partner, None): each for partner, each in self.maxima.items()}
        fits = min(request.requested, total(most.values()))
        found = rules.fitted(fits, wanted, most)
        for key, more in rules.within(request.requested - fits, wanted).items():
            found[key] = found.get(key, ZERO) + more
        return found

    def _final(self, final: Money) -> Amounts:
        """By whose costs the final amount is: what counts of every accepted report, of each partner up to its own maximum.

        Only what is accepted of nobody by name goes where there is room. Where more is asked for than counts by now, it is
        asked for in proportion to what counts, and what is above a maximum is refused when it is decided.
        """
        counts = counted(self.contributions, self.requests, self.by_request)
        for partner, most in self.uncertified.items():
            own = {key: amount for key, amount in counts.items() if key[0] == partner}
            counts |= dict.fromkeys(own, ZERO) | rules.within(min(most, total(own.values())), own)
        if not self.by_costs:
            if final > total(counts.values()):
                counts = {(partner, None): maximum for partner, maximum in self.maxima.items()}
            return rules.fitted(final, counts, self.maxima)
        fits = rules.capped(counts, self.maxima)
        if fits and final > total(fits.values()):
            return dict(zip(fits, final.split([each.cents for each in fits.values()]), strict=True))
        return rules.within(final, fits or {(partner, None): maximum for partner, maximum in self.maxima.items()})

    def partners(self, request_id: UUID) -> Partners:
        """Where the partners stand before this request is decided."""
        authorised: dict[UUID | None, Money] = {}
        received: dict[UUID | None, Money] = {}
        accepted: dict[UUID | None, Money] = {}
        for row in self.requests:
            if row.kind == PaymentKind.LATE_INTEREST.value:
                # Outside the grant: it is part of nobody's maximum.
                continue
            for part in self.by_request.get(row.id, ()) if row.id != request_id else ():
                who = part.organisation_id
                authorised[who] = authorised.get(who, ZERO) + part.payable + part.retained
                received[who] = received.get(who, ZERO) + part.payable
                if row.kind == PaymentKind.INTERIM.value:
                    accepted[who] = accepted.get(who, ZERO) + part.approved
        return Partners(self.maxima, authorised, received, accepted)


def parts_by_request(
    requests: Sequence[Any], kept: Sequence[Any], maxima: dict[UUID | None, Money]
) -> dict[UUID, list[Part]]:
    """The parts of every decided request."""
    found: dict[UUID, list[Part]] = {}
    for row in kept:
        found.setdefault(row.request_id, []).append(_part(row))
    for row in requests:
        if row.approved is not None and row.id not in found:
            found[row.id] = list(_as_agreed(row, maxima))
    return found


def told_by_costs(accepted: Sequence[Any], costs: Sequence[Any]) -> bool:
    """Whether every accepted report says whose its costs are."""
    told = {cost.report_id for cost in costs}
    return bool(told) and all(row.id in told for row in accepted)


def counted(
    given: Mapping[UUID, Amounts], requests: Sequence[Any], by_request: Mapping[UUID, list[Part]]
) -> dict[Any, Money]:
    """What counts of every accepted report: what its request approved of it, nothing while that is rejected."""
    decided = {row.report_id: row for row in requests if row.kind == PaymentKind.INTERIM.value}
    found: dict[Any, Money] = {}
    for report_id, contribution in given.items():
        row = decided.get(report_id)
        if row is not None and row.state == RequestState.REJECTED.value:
            continue
        if row is not None and row.approved is not None:
            contribution = _approved(by_request[row.id])
        for key, amount in contribution.items():
            found[key] = found.get(key, ZERO) + amount
    return found


@reader
def costs_counted(grant_id: UUID) -> Asking[dict[UUID, Money]]:
    """What counts of each partner's own costs in accepted reports, booked or not yet; one statement.

    Costs that a report accepts of nobody by name are nobody's here.
    """
    reports = select(PeriodicReport.id).where(PeriodicReport.grant_id == grant_id)
    of_reports = select(PeriodicReport.budget_id).where(PeriodicReport.grant_id == grant_id)
    of_requests = select(PaymentRequest.id).where(PaymentRequest.grant_id == grant_id)
    requests, kept, accepted, costs, actual = yield [
        select(PaymentRequest).where(PaymentRequest.grant_id == grant_id).order_by(PaymentRequest.number),
        select(PaymentRequestPart).where(PaymentRequestPart.request_id.in_(of_requests)),
        select(PeriodicReport)
        .where(PeriodicReport.grant_id == grant_id, PeriodicReport.state == ReportState.ACCEPTED.value)
        .order_by(PeriodicReport.number),
        select(AcceptedCost)
        .where(AcceptedCost.report_id.in_(reports))
        .order_by(AcceptedCost.organisation_id, AcceptedCost.category),
        select(Budget.id, Budget.rules).where(Budget.id.in_(of_reports)),
    ]
    told = {cost.report_id for cost in costs}
    given = contributions([row for row in accepted if row.id in told], costs, actual, {})
    by_request = parts_by_request([], kept, {})
    known = [row for row in requests if row.approved is None or row.id in by_request]
    sums = rules.by_partner(counted(given, known, by_request))
    return {who: amount for who, amount in sums.items() if who is not None}


agreements.counted_costs_come_from(costs_counted.asking)


def _approved(parts: Iterable[Part]) -> dict[Any, Money]:
    return {(part.organisation_id, part.category): part.approved for part in parts}


def contributions(
    accepted: Sequence[Any], costs: Sequence[Any], actual: Sequence[Any], maxima: dict[UUID | None, Money]
) -> dict[UUID, Amounts]:
    """What each accepted report gives, by partner and category: flat rate and funding rate applied partner by partner.

    Within a partner its indirect costs follow the categories they are worked out from in proportion.
    """
    budget_of = {row.id: row for row in actual}
    found: dict[UUID, Amounts] = {}
    for report in accepted:
        own = [cost for cost in costs if cost.report_id == report.id and cost.accepted]
        whole = report.accepted_total
        if not own or not whole:
            found[report.id] = rules.within(whole, {(partner, None): each for partner, each in maxima.items()})
            continue
        cells = [budget_rules.Cell(cost.organisation_id, cost.category, cost.accepted) for cost in own]
        rows = budget_rules.totals(budgets.rules_of(budget_of[report.budget_id]), cells).rows
        partners = dict(
            zip((row.organisation_id for row in rows), whole.split([row.requested.cents for row in rows]), strict=True)
        )
        spread: dict[Any, Money] = {}
        for partner, amount in partners.items():
            mine = [cost for cost in own if cost.organisation_id == partner]
            shares = amount.split([cost.accepted.cents for cost in mine])
            spread |= {(partner, cost.category): share for cost, share in zip(mine, shares, strict=True) if share}
        assert total(spread.values()) == whole, "the parts of a report are its accepted total"
        found[report.id] = spread
    return found


def _labels(actual: Sequence[Any]) -> dict[str, str]:
    """Category codes in words, as the call names them."""
    found: dict[str, str] = {}
    for row in actual:
        rules_of = budgets.rules_of(row) if row.rules else None
        if rules_of is not None:
            found |= {each.code: budget_rules.label_with_unit(rules_of, each) for each in rules_of.categories}
    return found


def _as_agreed(row: Any, maxima: dict[UUID | None, Money]) -> tuple[Part, ...]:
    """A request decided before parts were kept, parted by the agreement's shares, so that its sums count somewhere."""
    names = ("approved", "payable", "retained", "cleared", "deferred", "recoverable")
    amounts: dict[UUID, dict[str, Money]] = {}
    for name in names:
        whole = getattr(row, name)
        for partner, share in zip(maxima, whole.split([each.cents for each in maxima.values()]), strict=True):
            assert partner is not None, "a beneficiary is an organisation"
            amounts.setdefault(partner, {})[name] = share
    return tuple(Part(partner, None, each["approved"], **each) for partner, each in amounts.items())


def _parts_in_order() -> Any:
    return select(PaymentRequestPart).order_by(
        PaymentRequestPart.request_id, PaymentRequestPart.organisation_id, PaymentRequestPart.category
    )


def _part(row: Any) -> Part:
    return Part(
        row.organisation_id,
        row.category,
        row.requested,
        row.approved,
        row.payable,
        row.retained,
        row.cleared,
        row.deferred,
        row.recoverable,
    )


@reader
def parts_kept(request_id: UUID) -> Asking[tuple[Part, ...]]:
    """What was decided by partner and category; nothing of what was decided before that was kept. One statement."""
    rows = yield from ask(_parts_in_order().where(PaymentRequestPart.request_id == request_id))
    return tuple(_part(row) for row in rows)


def kept_of(request_ids: Collection[UUID]) -> dict[UUID, tuple[Part, ...]]:
    """The same of many requests, by request. One statement."""
    found: dict[UUID, list[Part]] = {}
    for row in db.session.scalars(_parts_in_order().where(among(PaymentRequestPart.request_id, request_ids))):
        found.setdefault(row.request_id, []).append(_part(row))
    return {request_id: tuple(parts) for request_id, parts in found.items()}


def standing(grant_id: UUID, account: Account) -> Amounts:
    """What an account of a grant holds for each partner and category, as booked. One statement."""
    rows = books.balances(by=("organisation_id", "category"), accounts=(account,), grant_id=grant_id)
    return {(row.dims.organisation_id, row.dims.category): row.amount for row in rows if row.amount}


def moved_for(request_id: UUID, account: Account) -> dict[UUID, dict[Any, Money]]:
    """What the orders of a request moved on an account, by order, then by partner and category. One statement."""
    dims = (LedgerLeg.document_id, LedgerLeg.organisation_id, LedgerLeg.category)
    statement = (
        select(*dims, debits_sum.label("debits"), credits_sum.label("credits"))
        .join(PaymentOrder, PaymentOrder.id == LedgerLeg.document_id)
        .where(PaymentOrder.request_id == request_id, LedgerLeg.account == account.value)
        .group_by(*dims)
        .order_by(*dims)
    )
    found: dict[UUID, dict[Any, Money]] = {}
    for row in db.session.execute(statement):
        amount = natural(account, int(row.debits), int(row.credits))
        if amount:
            found.setdefault(row.document_id, {})[row.organisation_id, row.category] = amount
    return found


def open_of(grant_id: UUID) -> dict[UUID | None, Money]:
    """The open legal commitment of each partner."""
    return dict(books.partners_open(grant_id))


__all__ = [
    "Basis",
    "basis_of",
    "contributions",
    "costs_counted",
    "counted",
    "kept_of",
    "moved_for",
    "open_of",
    "parts_by_request",
    "parts_kept",
    "standing",
    "told_by_costs",
]
