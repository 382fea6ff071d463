"""Acts on work packages that are paid as lump sums: declared done with evidence, judged as a whole."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.budgets import queries as budgets
from grants.budgets import services as budget_writes
from grants.core import acts, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.reporting.models import PeriodicReport
from grants.reporting.models.packages import PackageClaim
from grants.reporting.queries import pays_lump_sums, scope_of
from grants.reporting.queries.packages import packages_in
from grants.reporting.rules import Decision, ReportSummary
from grants.reporting.rules.packages import (
    EVIDENCE_FILES,
    Claim,
    PackageView,
    Verdict,
    cells_of,
    check_verdicts,
    claim_problems,
    judged_of,
)
from grants.reporting.services.apart import refuse_own
from grants.reporting.services.bound import refuse_costs_of_unbound
from grants.reporting.services.reports import accept_judged, in_hand
from grants.reporting.states import REPORT, ReportKind, ReportState


@act(
    "report.declare_package",
    needs=Permission.REPORT_SUBMIT,
    scope=scope_of,
    says="declared a work package in report {subject}",
)
def declare_package(
    actor: Actor,
    report_id: UUID,
    code: str,
    claim: Claim,
    *,
    incoming: Incoming | None = None,
    version: int | None = None,
) -> None:
    """Declare how much of a work package is done, with words and a file that show it; nought takes it back."""
    report = in_hand(report_id)
    _refuse_other_form(report)
    view = _package(report_id, code)
    row = locked(PackageClaim, view.claim_id) if view.claim_id else None
    if version is not None and version != (row.version if row is not None else 0):
        raise Conflict("Somebody else declared this work package while you were working. Look at what stands now.")
    has_file = incoming is not None or bool(view.files)
    problems = claim_problems(view, claim, final=report.kind == ReportKind.FINAL.value, has_file=has_file)
    if problems:
        raise Invalid("The work package cannot be declared like this.", problems)
    if claim.percent:
        refuse_costs_of_unbound(report, (who for who, amount in view.package.share(claim.percent).items() if amount))
    if row is None:
        row = PackageClaim(report_id=report_id, code=code)
    assert actor.user_id is not None, "a person declares, never the program"
    row.percent, row.words = claim.percent, clean_text(claim.words)
    assert actor.user_id is not None, "a person declares work packages"
    row.declared_at, row.declared_by = acts.moment(), actor.user_id
    db.session.add(row)
    db.session.flush()
    if incoming is not None:
        files.keep(incoming, kind=EVIDENCE_FILES, object_id=row.id, role="evidence")
    budget_writes.save_cells(report.budget_id, cells_of(view.package, claim.percent), None)


@act(
    "report.accept_packages",
    needs=Permission.REPORT_ACCEPT,
    scope=scope_of,
    says="judged the work packages of report {subject}",
)
def accept_packages(
    actor: Actor, report_id: UUID, verdicts: tuple[Verdict, ...], *, answer: str = "", version: int | None = None
) -> ReportSummary:
    """Accept the report with the verdict on each declared work package; the payment it opens can then be asked for."""
    report = locked(PeriodicReport, report_id)
    check_version(report, version)
    REPORT.target(ReportState(report.state), "accept")
    _refuse_other_form(report)
    refuse_own(actor, report.grant_id, report.submitted_by)
    views = packages_in(report_id)
    given = check_verdicts(views, verdicts, final=report.kind == ReportKind.FINAL.value)
    declared = [cell for cell in budgets.written(report.budget_id).cells if cell.amount]
    for row in db.session.scalars(select(PackageClaim).where(PackageClaim.report_id == report_id)):
        verdict = given.get(row.code, Verdict(row.code, 0))
        row.accepted = verdict.percent
        row.reason = verdict.reason.strip() if verdict.percent < row.percent else None
    return accept_judged(actor, report, Decision(judged_of(views, given, declared), answer))


@act(
    "report.open_package_evidence",
    needs=Permission.FILE_READ,
    scope=scope_of,
    says="opened evidence of a work package in report {subject}",
)
def open_package_evidence(actor: Actor, report_id: UUID, code: str, sha256: str) -> FileView:
    """Hand out a file that shows a package done, on the record."""
    acts.subject("periodic_report", report_id)
    report = get(PeriodicReport, report_id)
    if not actor.may(Permission.REPORT_SUBMIT, agreements.scope_of(report.grant_id)):
        refuse_conflict(actor, report.grant_id)
    view = _package(report_id, code)
    for file in files.listed(EVIDENCE_FILES, view.claim_id) if view.claim_id else ():
        if file.sha256 == sha256:
            return file
    raise NotFound


def _package(report_id: UUID, code: str) -> PackageView:
    for view in packages_in(report_id):
        if view.package.code == code:
            return view
    raise NotFound


def _refuse_other_form(report: PeriodicReport) -> None:
    if not pays_lump_sums(get(Grant, report.grant_id)):
        raise Refused("This grant is paid by its costs, not by lump sums. Declare and judge its costs.")
