"""Reads of work packages that are paid as lump sums: in one report, with what earlier ones had accepted of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.budgets import queries as budgets
from grants.core import files
from grants.core.together import Asking, ask, reader, side_by_side
from grants.reporting.models import PeriodicReport
from grants.reporting.models.packages import PackageClaim
from grants.reporting.rules.packages import EVIDENCE_FILES, EvidenceFile, PackageView, packages_of
from grants.reporting.states import SETTLED


@reader
def packages_in(report_id: UUID) -> Asking[tuple[PackageView, ...]]:
    """The work packages of a report's grant, with what is declared and accepted of each; nothing where it has no budget."""
    of_report = select(PeriodicReport.grant_id).where(PeriodicReport.id == report_id).scalar_subquery()
    reports = select(PeriodicReport.id).where(PeriodicReport.grant_id == of_report)
    about: list[Asking[Any]] = [
        ask(select(Grant.budget_id).where(Grant.id == of_report)),
        ask(
            select(Beneficiary.organisation_id, Beneficiary.maximum)
            .where(Beneficiary.grant_id == of_report)
            .order_by(Beneficiary.position, Beneficiary.id)
        ),
        ask(select(PackageClaim).where(PackageClaim.report_id.in_(reports)).order_by(PackageClaim.code)),
        files.listed_in.asking(EVIDENCE_FILES, select(PackageClaim.id).where(PackageClaim.report_id == report_id)),
    ]
    grants, holders, claims, kept = yield from side_by_side(about)
    if not grants or grants[0].budget_id is None:
        return ()
    budget = yield from budgets.stored.asking(grants[0].budget_id)
    packages = packages_of(budget.content, {row.organisation_id: row.maximum for row in holders})
    own = {row.code: row for row in claims if row.report_id == report_id}
    return tuple(
        _view(package, own.get(package.code), [row for row in claims if row.report_id != report_id], kept)
        for package in packages
    )


@reader
def fixed_packages(grant_id: UUID) -> Asking[tuple[str, ...]]:
    """The packages of a grant whose lump sum stands: accepted, or declared in a report that is not decided. One statement."""
    rows = yield from ask(
        select(PackageClaim.code)
        .join(PeriodicReport, PeriodicReport.id == PackageClaim.report_id)
        .where(
            PeriodicReport.grant_id == grant_id,
            or_(
                PackageClaim.accepted > 0,
                and_(PackageClaim.percent > 0, PeriodicReport.state.not_in([state.value for state in SETTLED])),
            ),
        )
        .distinct()
        .order_by(PackageClaim.code)
    )
    return tuple(row.code for row in rows)


agreements.fixed_packages_come_from(fixed_packages.asking)


def _view(package: Any, claim: Any | None, others: Sequence[Any], kept: Sequence[Any]) -> PackageView:
    before = sum(row.accepted or 0 for row in others if row.code == package.code)
    if claim is None:
        return PackageView(package, before)
    papers = tuple(EvidenceFile(each.name, each.sha256) for each in kept if each.object_id == claim.id)
    return PackageView(
        package, before, claim.id, claim.percent, claim.words, claim.accepted, claim.reason, papers, claim.version
    )


def stated(views: Sequence[PackageView]) -> list[dict[str, Any]]:
    """What a report says of its packages, as it is frozen when it is sent."""
    return [
        {
            "code": each.package.code,
            "percent": each.percent,
            "words": each.words,
            "files": sorted(file.sha256 for file in each.files),
        }
        for each in views
        if each.claim_id is not None
    ]
