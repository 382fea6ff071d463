"""Pages of reports and milestones: what a grant owes, writing, sending, and the officer's answer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView, MilestoneView
from grants.budgets import queries as budgets
from grants.budgets.forms import BudgetForm
from grants.budgets.queries import BudgetView
from grants.core import clock
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Permission
from grants.dossiers import queries as dossiers
from grants.dossiers import rules as dossier_rules
from grants.dossiers.forms import SectionForm, section_form
from grants.dossiers.queries import SectionView
from grants.reporting import queries, services
from grants.reporting.forms import (
    AcceptForm,
    AcceptMilestoneForm,
    AnswerForm,
    DeedForm,
    MilestoneForm,
    accept_form,
)
from grants.reporting.rules import MilestoneInput, ReportView
from grants.web.routing import current_actor, page, requires, see_other

bp = Blueprint("reporting", __name__)
P = Permission


@bp.get("/grants/<ref>/reports")
@requires(P.REPORT_READ)
def index(ref: str) -> Any:
    actor = current_actor()
    grant = agreements.grant(actor, ref)
    reports = queries.of_grant(actor, grant.id)
    return page("reporting/index.html", grant=grant, reports=reports, today=_today())


# --- milestones -----------------------------------------------------------------------------------------------


@bp.route("/grants/<ref>/milestones/<int:number>", methods=["GET", "POST"])
@requires(P.REPORT_READ)
def milestone(ref: str, number: int) -> Any:
    grant, found = _milestone(ref, number)
    form = MilestoneForm(data={"version": str(found.version), "report": found.report or ""})
    if form.validate_on_submit() and form.achieved_on.data:
        with form.refusals():
            given = MilestoneInput(form.achieved_on.data, str(form.report.data))
            services.report_milestone(current_actor(), found.id, given, version=form.version_shown())
            flash("The milestone is reported. The programme was asked to look at it.", "success")
            return see_other(".index", ref=ref)
    return _milestone_page(grant, found, form)


@bp.post("/grants/<ref>/milestones/<int:number>/accept")
@requires(P.REPORT_ACCEPT)
def accept_milestone(ref: str, number: int) -> Any:
    grant, found = _milestone(ref, number)
    form = AcceptMilestoneForm()
    if form.validate_on_submit():
        with form.refusals():
            services.accept_milestone(
                current_actor(), found.id, answer=form.answer.data or "", version=form.version_shown()
            )
            flash("The milestone is accepted.", "success")
            return see_other(".index", ref=ref)
    return _milestone_page(grant, found, form)


@bp.post("/grants/<ref>/milestones/<int:number>/return")
@requires(P.REPORT_ACCEPT)
def return_milestone(ref: str, number: int) -> Any:
    grant, found = _milestone(ref, number)
    form = AnswerForm()
    if form.validate_on_submit():
        with form.refusals():
            services.return_milestone(
                current_actor(), found.id, answer=str(form.answer.data), version=form.version_shown()
            )
            flash("The milestone went back to the city.", "success")
            return see_other(".index", ref=ref)
    return _milestone_page(grant, found, form)


def _milestone(ref: str, number: int) -> tuple[GrantView, MilestoneView]:
    grant = agreements.grant(current_actor(), ref)
    for found in grant.milestones:
        if found.number == number:
            return grant, found
    raise NotFound


def _milestone_page(grant: GrantView, found: MilestoneView, form: Any) -> Any:
    stands = {"version": str(found.version)}
    shown = page(
        "reporting/milestone.html",
        grant=grant,
        milestone=found,
        form=form,
        tell=form if isinstance(form, MilestoneForm) else MilestoneForm(formdata=None, data=stands),
        accept=form if isinstance(form, AcceptMilestoneForm) else AcceptMilestoneForm(formdata=None, data=stands),
        give_back=form if isinstance(form, AnswerForm) else AnswerForm(formdata=None, data=stands),
        today=_today(),
    )
    return shown, 422 if form.is_submitted() else 200


# --- one report -----------------------------------------------------------------------------------------------


@bp.get("/reports/<ref>")
@requires(P.REPORT_READ)
def show(ref: str) -> Any:
    return _report_page(_report(ref), DeedForm())


def _report_page(report: ReportView, form: Any) -> Any:
    dossier = dossiers.dossier(report.dossier_id)
    content = dossiers.written(report.dossier_id)
    shown = page(
        "reporting/report.html",
        report=report,
        form=form,
        send=form if isinstance(form, DeedForm) else DeedForm(formdata=None),
        give_back=form
        if isinstance(form, AnswerForm)
        else AnswerForm(formdata=None, data={"version": str(report.version)}),
        dossier=dossier,
        sections=dossier_rules.answered(content),
        budget=_budget(report),
        accepted=queries.accepted_costs(report.id),
        names=queries.names_of(report.grant_id),
        today=_today(),
    )
    return shown, 422 if form.is_submitted() else 200


@bp.post("/reports/<ref>/submit")
@requires(P.REPORT_SUBMIT)
def submit(ref: str) -> Any:
    report, form = _report(ref), DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.submit(current_actor(), report.id)
            flash(f"Report {report.number} is with the programme.", "success")
            return see_other(".show", ref=ref)
    return _report_page(report, form)


@bp.post("/reports/<ref>/return")
@requires(P.REPORT_ACCEPT)
def give_back(ref: str) -> Any:
    report, form = _report(ref), AnswerForm()
    if form.validate_on_submit():
        with form.refusals():
            services.give_back(current_actor(), report.id, answer=str(form.answer.data), version=form.version_shown())
            flash(f"Report {report.number} went back to the city.", "success")
            return see_other(".show", ref=ref)
    return _report_page(report, form)


@bp.post("/reports/<ref>/reject")
@requires(P.REPORT_ACCEPT)
def reject(ref: str) -> Any:
    report, form = _report(ref), AnswerForm()
    if form.validate_on_submit():
        with form.refusals():
            services.reject(current_actor(), report.id, answer=str(form.answer.data), version=form.version_shown())
            flash(f"Report {report.number} is rejected.", "success")
            return see_other(".show", ref=ref)
    return _report_page(report, form)


# --- writing --------------------------------------------------------------------------------------------------


@bp.route("/reports/<ref>/sections/<key>", methods=["GET", "POST"])
@requires(P.REPORT_EDIT)
def section(ref: str, key: str) -> Any:
    report = _report(ref)
    found = dossiers.dossier(report.dossier_id).section(key)
    form = _section_form(found)
    if not form.is_submitted():
        return _section_page(report, found, form)
    try:
        services.write_section(current_actor(), report.id, key, form.answers(), version=form.version_shown())
    except Conflict as error:
        return _section_clash(report, key, form, error)
    except Invalid as error:
        form.place_problems(error)
    except Refused as error:
        form.add_problem(error)
    else:
        flash(f"Saved {clock.in_zone(clock.now()):%H:%M}.", "success")
        return see_other(".show", ref=ref)
    return _section_page(report, found, form), 422


def _section_form(found: SectionView) -> SectionForm:
    form = section_form(found.section, dict(found.answers), found.version, found.mark)
    del form.complete
    return form


def _section_clash(report: ReportView, key: str, form: SectionForm, error: Conflict) -> Any:
    found = dossiers.dossier(report.dossier_id).section(key)
    typed = {answer.question: answer for answer in form.answers()}
    form.problems.append(str(error))
    form.try_again(found.version)
    return _section_page(report, found, form, dossier_rules.clashes(found.section, found.answers, typed)), 409


def _section_page(report: ReportView, found: SectionView, form: SectionForm, clashes: Any = ()) -> str:
    return page("reporting/section.html", report=report, section=found, form=form, clashes=clashes)


@bp.route("/reports/<ref>/costs", methods=["GET", "POST"])
@requires(P.REPORT_EDIT)
def costs(ref: str) -> Any:
    report = _report(ref)
    stands = _budget(report)
    form = BudgetForm(data={"version": str(stands.version)})
    if not form.is_submitted():
        return _costs_page(report, stands, form)
    own = queries.own_rows(current_actor(), report.grant_id)
    reading = form.read(stands.rules, [each for each in stands.organisations if each in own])
    if not reading.errors:
        try:
            with form.refusals():
                services.enter_costs(current_actor(), report.id, reading.cells, version=form.version_shown())
                flash("The costs are saved.", "success")
                return see_other(".show", ref=ref)
        except Conflict as error:
            stands = _budget(report)
            form.problems.append(str(error))
            form.try_again(stands.version)
            return _costs_page(report, stands, form), 409
    return _costs_page(report, stands, form), 422


def _costs_page(report: ReportView, stands: BudgetView, form: BudgetForm) -> str:
    own = queries.own_rows(current_actor(), report.grant_id)
    return page("reporting/costs.html", report=report, budget=stands, form=form, own=own)


# --- the officer ----------------------------------------------------------------------------------------------


@bp.route("/reports/<ref>/accept", methods=["GET", "POST"])
@requires(P.REPORT_ACCEPT)
def accept(ref: str) -> Any:
    report = _report(ref)
    stands = _budget(report)
    form = _accept_form(report, stands)
    if form.validate_on_submit():
        with form.refusals():
            services.accept(current_actor(), report.id, form.to_input(), version=form.version_shown())
            flash(f"Report {report.number} is accepted. Its payment can now be decided.", "success")
            return see_other(".show", ref=ref)
    shown = page("reporting/accept.html", report=report, budget=stands, form=form)
    return shown, 422 if form.is_submitted() else 200


def _accept_form(report: ReportView, stands: BudgetView) -> AcceptForm:
    names = {row.organisation_id: row.name for row in stands.rows}
    labels = {category.code: category.label for category in stands.rules.categories}
    cells = [cell for cell in stands.cells if cell.amount]
    spoken = {
        (cell.organisation_id, cell.category): f"{names[cell.organisation_id]}, {labels[cell.category]}"
        for cell in cells
    }
    return accept_form(cells, spoken, report.version)


def _report(ref: str) -> ReportView:
    return queries.report(current_actor(), ref)


def _budget(report: ReportView) -> BudgetView:
    return budgets.budget(report.budget_id, queries.names_of(report.grant_id))


def _today() -> Any:
    return clock.in_zone(clock.now()).date()
