"""Reads of what bounds the final amount of a grant: as its reports and requests stand now, as it was frozen, and I9."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, and_, case, exists, func, or_, select
from sqlalchemy import cast as as_type
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.states import PaymentKind
from grants.budgets import queries as budgets
from grants.budgets import rules as budget_rules
from grants.budgets.models import Budget
from grants.calls.rules import Funding
from grants.calls.states import FundingForm, NoProfit
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import ZERO, Money, total
from grants.core.together import Asking, ask, reader
from grants.payments import rules
from grants.payments.models import FinalBasis, FinancialCertificate, PaymentRequest, PaymentRequestPart
from grants.payments.queries.parts import contributions, counted, parts_by_request, told_by_costs
from grants.payments.rules.finals import FinalLimits, Found, limits_problems
from grants.payments.rules.finals import final_limits as limits_of_found
from grants.payments.states import CertificateState, RequestState
from grants.reporting.models import AcceptedCost, PeriodicReport
from grants.reporting.models.packages import PackageClaim
from grants.reporting.rules import receipts_of
from grants.reporting.rules.packages import WHOLE, too_much
from grants.reporting.states import ReportKind, ReportState

PROBLEMS_MAX = 100


@reader
def final_limits(grant_id: UUID) -> Asking[FinalLimits]:
    """What bounds the final amount of a grant, as its reports and requests stand now; one statement.

    Raises :class:`Refused` where a profit is taken off and the final report, which says what the action earned, is not
    settled.
    """
    of_reports = select(PeriodicReport.id).where(PeriodicReport.grant_id == grant_id)
    budget_ids = select(PeriodicReport.budget_id).where(PeriodicReport.grant_id == grant_id)
    of_requests = select(PaymentRequest.id).where(PaymentRequest.grant_id == grant_id)
    grants, holders, requests, kept, reports, costs, actual, certificates = yield [
        select(Grant).where(Grant.id == grant_id),
        select(Beneficiary).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.position, Beneficiary.id),
        select(PaymentRequest)
        .where(PaymentRequest.grant_id == grant_id, PaymentRequest.kind == PaymentKind.INTERIM.value)
        .order_by(PaymentRequest.number),
        select(PaymentRequestPart).where(PaymentRequestPart.request_id.in_(of_requests)),
        select(PeriodicReport).where(PeriodicReport.grant_id == grant_id).order_by(PeriodicReport.number),
        select(AcceptedCost)
        .where(AcceptedCost.report_id.in_(of_reports))
        .order_by(AcceptedCost.organisation_id, AcceptedCost.category),
        select(Budget.id, Budget.rules).where(Budget.id.in_(budget_ids)),
        select(FinancialCertificate.organisation_id, FinancialCertificate.state).where(
            FinancialCertificate.grant_id == grant_id
        ),
    ]
    maxima: dict[UUID | None, Money] = {row.organisation_id: row.maximum for row in holders}
    accepted = [row for row in reports if row.state == ReportState.ACCEPTED.value]
    decided = {row.report_id: row for row in requests}
    final = next((row for row in reports if row.kind == ReportKind.FINAL.value), None)
    given = contributions(accepted, costs, actual, maxima)
    by_partner: dict[UUID | None, Money] = {}
    for amounts in given.values():
        for partner, amount in rules.by_partner(amounts).items():
            by_partner[partner] = by_partner.get(partner, ZERO) + amount
    counts = counted(given, requests, parts_by_request(requests, kept, maxima))
    found = Found(
        maximum=grants[0].maximum,
        accepted=total(_counted(row, decided.get(row.id)) for row in accepted),
        eligible=total(_eligible(row, costs, actual) for row in accepted),
        contributions=by_partner,
        counted=rules.by_partner(counts) if told_by_costs(accepted, costs) else None,
        maxima=maxima,
        receipts=receipts_of(ReportState(final.state), final.receipts) if final else None,
        certified=_in_state(certificates, CertificateState.ACCEPTED),
        uncertified=_in_state(certificates, CertificateState.DONE_WITHOUT),
    )
    return limits_of_found(agreements.funding_of(grants[0]), found)


def _in_state(certificates: Sequence[Any], state: CertificateState) -> frozenset[UUID]:
    return frozenset(row.organisation_id for row in certificates if row.state == state.value)


def _counted(report: Any, request: Any | None) -> Any:
    if request is None:
        return report.accepted_total
    return rules.counted(report.accepted_total, RequestState(request.state), request.approved)


def _eligible(report: Any, costs: Sequence[Any], actual: Sequence[Any]) -> Any:
    """The eligible costs of a report, indirect ones included; of one that names no costs, what was accepted of it."""
    own = [cost for cost in costs if cost.report_id == report.id]
    if not own:
        return report.accepted_total
    cells = [budget_rules.Cell(cost.organisation_id, cost.category, cost.accepted) for cost in own]
    of_report = next(row for row in actual if row.id == report.budget_id)
    return budget_rules.totals(budgets.rules_of(of_report), cells).total


@reader
def final_kept(request_id: UUID) -> Asking[FinalLimits | None]:
    """What bounded a final amount when it was decided; None of other requests, and of decisions from before it was kept."""
    rows = yield from ask(select(FinalBasis).where(FinalBasis.request_id == request_id))
    return _kept(rows[0]) if rows else None


def _kept(row: Any) -> FinalLimits:
    return FinalLimits(
        Funding(FundingForm(row.form), NoProfit(row.no_profit), row.certificate_from),
        row.maximum,
        row.accepted,
        row.eligible,
        row.contribution,
        row.certified,
        row.receipts,
        row.without_profit,
    )


def final_problems() -> Iterator[Problem]:
    """I9: each frozen limit is what the reports and requests of its grant give, and nothing above the least was approved.

    Of no work package more than the whole is accepted.
    """
    yield from _packages_above()
    for reference, grant_id, kept, approved in _compared():
        yield from (Problem(reference, words) for words in limits_problems(kept, final_limits(grant_id), approved))
    bounded = or_(Grant.no_profit != NoProfit.NONE.value, Grant.certificate_from.is_not(None))
    without = (
        select(Grant.reference)
        .where(bounded, Grant.final_amount.is_not(None), ~exists().where(FinalBasis.grant_id == Grant.id))
        .order_by(Grant.reference)
        .limit(PROBLEMS_MAX)
    )
    for reference in db.session.scalars(without):
        yield Problem(reference, "I9: its final amount was decided, and nothing says what bounded it.")


def _packages_above() -> Iterator[Problem]:
    accepted = func.sum(PackageClaim.accepted)
    statement = (
        select(Grant.reference, PackageClaim.code, accepted)
        .join(PeriodicReport, PeriodicReport.id == PackageClaim.report_id)
        .join(Grant, Grant.id == PeriodicReport.grant_id)
        .group_by(Grant.id, PackageClaim.code)
        .having(accepted > WHOLE)
        .order_by(Grant.reference, PackageClaim.code)
        .limit(PROBLEMS_MAX)
    )
    for reference, code, percent in db.session.execute(statement):
        assert percent is not None, "a sum above the whole"
        yield too_much(reference, code, int(percent))


def _compared() -> list[tuple[str, UUID, FinalLimits, Money]]:
    """The frozen bases that the rule looks at, with what was approved.

    Those whose plain limits the database finds apart from what stands, and those of which only the rule can work out a limit:
    receipts, certificates.
    """
    later = aliased(PaymentRequest)
    interim = (
        select(PaymentRequest)
        .where(
            PaymentRequest.kind == PaymentKind.INTERIM.value,
            ~select(later.id).where(later.replaces_id == PaymentRequest.id).exists(),
        )
        .subquery()
    )
    whole = as_type(PeriodicReport.accepted_total, BigInteger)
    counts = case(
        (interim.c.state == RequestState.REJECTED.value, 0),
        else_=func.coalesce(as_type(interim.c.approved, BigInteger), whole),
    )
    sums = (
        select(
            PeriodicReport.grant_id.label("grant_id"),
            func.sum(whole).label("contribution"),
            func.sum(counts).label("accepted"),
        )
        .outerjoin(interim, interim.c.report_id == PeriodicReport.id)
        .where(PeriodicReport.state == ReportState.ACCEPTED.value)
        .group_by(PeriodicReport.grant_id)
        .subquery()
    )
    approved = as_type(PaymentRequest.approved, BigInteger)
    off = or_(
        FinalBasis.maximum != Grant.maximum,
        as_type(FinalBasis.contribution, BigInteger) != func.coalesce(sums.c.contribution, 0),
        as_type(FinalBasis.accepted, BigInteger) != func.coalesce(sums.c.accepted, 0),
        approved > as_type(FinalBasis.final, BigInteger),
    )
    by_the_rule = or_(FinalBasis.no_profit != NoProfit.NONE.value, FinalBasis.certificate_from.is_not(None))
    statement = (
        select(FinalBasis, Grant.reference, PaymentRequest.approved)
        .join(Grant, Grant.id == FinalBasis.grant_id)
        .join(PaymentRequest, and_(PaymentRequest.id == FinalBasis.request_id, PaymentRequest.approved.is_not(None)))
        .outerjoin(sums, sums.c.grant_id == FinalBasis.grant_id)
        .where(or_(off, by_the_rule))
        .order_by(Grant.reference)
    )
    return [
        (reference, row.grant_id, _kept(row), said)
        for row, reference, said in db.session.execute(statement)
        if said is not None
    ]


__all__ = ["final_kept", "final_limits", "final_problems"]
