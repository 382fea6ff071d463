"""Pages of work packages that are paid as lump sums: declared by the city, judged by the officer."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.core import files
from grants.core.errors import NotFound
from grants.identity import queries as identity
from grants.reporting import queries, rules
from grants.reporting.forms.packages import JudgePackagesForm, PackageForm, judge_form
from grants.reporting.queries.packages import packages_in
from grants.reporting.rules import ReportView
from grants.reporting.rules.packages import PackageView
from grants.reporting.services import packages as services
from grants.reporting.states import ReportKind, ReportState
from grants.reporting.views.frame import P, bp
from grants.web import downloads
from grants.web.forms import ContestedForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/reports/<ref>/packages")
@requires(P.REPORT_READ)
def packages(ref: str) -> Any:
    """The work packages of a report with what is declared and accepted of each."""
    report = _report(ref)
    return page("reporting/packages.html", report=report, packages=packages_in(report.id))


@bp.route("/reports/<ref>/packages/<code>", methods=["GET", "POST"])
@requires(P.REPORT_SUBMIT)
def package(ref: str, code: str) -> Any:
    """What is declared of one work package."""
    report = _report(ref)
    view = _view(report, code)
    form = PackageForm(data={"version": str(view.version), "percent": view.percent or view.left, "words": view.words})
    if not form.is_submitted() and not report.in_hand_of_city:
        return page(
            "reporting/not_now.html",
            report=report,
            title=f"Work package {code}",
            next=rules.report_next(report.state),
        )
    if form.validate_on_submit():
        with form.attempt():
            incoming = files.receive(form.upload) if form.upload else None
            services.declare_package(
                current_actor(), report.id, code, form.to_input(), incoming=incoming, version=form.version_shown()
            )
            flash(f"Work package {code} is saved.", "success")
            return see_other(".packages", ref=ref)
        view = _view(report, code)
    renew(form, view.version)
    shown = page(
        "reporting/package.html",
        report=report,
        view=view,
        form=form,
        final=report.kind is ReportKind.FINAL,
        next=rules.report_next(report.state),
        last=_last(form, "package_claim", view, report),
    )
    return shown, status_of(form)


@bp.route("/reports/<ref>/judge-packages", methods=["GET", "POST"])
@requires(P.REPORT_ACCEPT)
def judge_packages(ref: str) -> Any:
    """The officer's verdict on each declared work package, with which the report is accepted."""
    report = _report(ref)
    if not report.lump_sums:
        raise NotFound
    views = packages_in(report.id)
    form = judge_form(views, report.version)
    if not form.is_submitted() and report.state is not ReportState.SUBMITTED:
        return page(
            "reporting/not_now.html",
            report=report,
            title="Judge the work packages",
            next=rules.report_next(report.state),
        )
    if form.validate_on_submit():
        with form.attempt():
            services.accept_packages(
                current_actor(),
                report.id,
                form.to_input(),
                answer=form.answer.data or "",
                version=form.version_shown(),
            )
            flash(f"Report {report.number} is accepted. Its payment can now be decided.", "success")
            return see_other(".show", ref=ref)
        report = _report(ref)
    renew(form, report.version)
    shown = page(
        "reporting/judge_packages.html",
        report=report,
        views=views,
        form=form,
        next=rules.report_next(report.state),
        last=_overtaker(form, "periodic_report", report.id, report.reference),
    )
    return shown, status_of(form)


@bp.get("/reports/<ref>/packages/<code>/files/<sha256>")
@requires(P.FILE_READ)
def package_file(ref: str, code: str, sha256: str) -> Any:
    """A file that shows a work package done, for the city and for the programme."""
    return downloads.send(services.open_package_evidence(current_actor(), _report(ref).id, code, sha256))


def _report(ref: str) -> ReportView:
    return queries.report(current_actor(), ref)


def _view(report: ReportView, code: str) -> PackageView:
    """One package of a report that declares packages; raises :class:`NotFound`."""
    for each in packages_in(report.id) if report.lump_sums else ():
        if each.package.code == code:
            return each
    raise NotFound


def _last(form: ContestedForm | JudgePackagesForm, kind: str, view: PackageView, report: ReportView) -> Any:
    return _overtaker(form, kind, view.claim_id, report.reference) if view.claim_id else None


def _overtaker(form: ContestedForm, kind: str, object_id: Any, reference: str) -> Any:
    return identity.overtaker(current_actor(), kind, object_id, reference) if form.clashed else None
