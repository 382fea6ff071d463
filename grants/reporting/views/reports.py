"""Pages of reports and milestones: what a grant owes, writing, sending, and the officer's answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask import flash, url_for

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView, MilestoneView, held_back
from grants.budgets.forms import BudgetForm
from grants.budgets.queries import BudgetView
from grants.core import clock
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.dossiers import merging
from grants.dossiers import queries as dossiers
from grants.dossiers import rules as dossier_rules
from grants.dossiers.forms import SectionForm, form_after_clash, section_form
from grants.dossiers.merging import Clash, Contested
from grants.dossiers.queries import SectionView
from grants.dossiers.rules import Answer
from grants.identity import queries as identity
from grants.reporting import queries, rules, services
from grants.reporting.forms import (
    AcceptForm,
    AcceptMilestoneForm,
    AnswerForm,
    ExpectedForm,
    MilestoneForm,
    ReceiptsForm,
    SendForm,
    accept_form,
)
from grants.reporting.rules import ExpectedInput, MilestoneInput, ReportView
from grants.reporting.states import ReportState
from grants.reporting.views.frame import P, bp
from grants.web.forms import ContestedForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/reports")
@requires(P.REPORT_READ)
def index(ref: str) -> Any:
    actor = current_actor()
    grant = agreements.grant(actor, ref)
    reports = queries.of_grant(actor, grant.id)
    return page("reporting/index.html", grant=grant, reports=reports, today=clock.today())


# --- milestones -----------------------------------------------------------------------------------------------


@bp.route("/grants/<ref>/milestones/<int(max=2147483647):number>", methods=["GET", "POST"])
@requires(P.REPORT_READ)
def milestone(ref: str, number: int) -> Any:
    found = _milestone(ref, number)[1]
    form = MilestoneForm(data={"version": str(found.version), "report": found.report or ""})
    if form.validate_on_submit() and form.achieved_on.data:
        with form.attempt():
            given = MilestoneInput(form.achieved_on.data, str(form.report.data))
            services.report_milestone(current_actor(), found.id, given, version=form.version_shown())
            flash("The milestone is reported. The programme was asked to look at it.", "success")
            return see_other(".index", ref=ref)
    return _milestone_page(ref, number, form)


@bp.post("/grants/<ref>/milestones/<int(max=2147483647):number>/accept")
@requires(P.REPORT_ACCEPT)
def accept_milestone(ref: str, number: int) -> Any:
    found, form = _milestone(ref, number)[1], AcceptMilestoneForm()
    if form.validate_on_submit():
        with form.attempt():
            services.accept_milestone(
                current_actor(), found.id, answer=form.answer.data or "", version=form.version_shown()
            )
            flash("The milestone is accepted.", "success")
            return see_other(".index", ref=ref)
    return _milestone_page(ref, number, form)


@bp.post("/grants/<ref>/milestones/<int(max=2147483647):number>/return")
@requires(P.REPORT_ACCEPT)
def return_milestone(ref: str, number: int) -> Any:
    found, form = _milestone(ref, number)[1], AnswerForm()
    if form.validate_on_submit():
        with form.attempt():
            services.return_milestone(
                current_actor(), found.id, answer=str(form.answer.data), version=form.version_shown()
            )
            flash("The milestone went back to the city.", "success")
            return see_other(".index", ref=ref)
    return _milestone_page(ref, number, form)


@bp.post("/grants/<ref>/milestones/<int(max=2147483647):number>/expected")
@requires(P.REPORT_EDIT, P.REPORT_ACCEPT)
def expect_milestone(ref: str, number: int) -> Any:
    """The day it is expected on: as the city says, or the officer for it."""
    (grant, found), form, actor = _milestone(ref, number), ExpectedForm(), current_actor()
    if form.validate_on_submit() and form.expected_on.data:
        with form.attempt():
            given = ExpectedInput(form.expected_on.data, str(form.reason.data))
            for_the_city = actor.may(P.REPORT_EDIT, agreements.scope_of_view(grant))
            deed = services.expect_milestone if for_the_city else services.set_expected
            deed(actor, found.id, given, version=form.version_shown())
            flash("The day is taken over. The forecast of payments follows it, and the other side was told.", "success")
            return see_other(".milestone", ref=ref, number=number)
    return _milestone_page(ref, number, form)


def _milestone(ref: str, number: int) -> tuple[GrantView, MilestoneView]:
    grant = agreements.grant(current_actor(), ref)
    for found in grant.milestones:
        if found.number == number:
            return grant, found
    raise NotFound


def _milestone_page(ref: str, number: int, form: ContestedForm) -> Any:
    grant, found = _milestone(ref, number)
    renew(form, found.version)
    stands = {"version": str(found.version)}
    shown = page(
        "reporting/milestone.html",
        grant=grant,
        milestone=found,
        form=form,
        next=rules.milestone_next(found.state),
        last=_overtaker(form, "milestone", found.id, grant.reference),
        tell=form if isinstance(form, MilestoneForm) else MilestoneForm(formdata=None, data=stands),
        accept=form if isinstance(form, AcceptMilestoneForm) else AcceptMilestoneForm(formdata=None, data=stands),
        give_back=form if isinstance(form, AnswerForm) else AnswerForm(formdata=None, data=stands),
        expect=form if isinstance(form, ExpectedForm) else ExpectedForm(formdata=None, data=stands),
        today=clock.today(),
    )
    return shown, status_of(form)


def _overtaker(form: ContestedForm, kind: str, object_id: UUID, reference: str) -> Any:
    return identity.overtaker(current_actor(), kind, object_id, reference) if form.clashed else None


# --- one report -----------------------------------------------------------------------------------------------


@bp.get("/reports/<ref>")
@requires(P.REPORT_READ)
def show(ref: str) -> Any:
    return _report_page(_report(ref), SendForm())


def _report_page(report: ReportView, form: ContestedForm) -> Any:
    if form.clashed:
        report = _report(report.reference)
    renew(form, report.version)
    stands = {"version": str(report.version)}
    inside = queries.inside(report)
    shows = inside.shows if report.in_hand_of_city else ""
    if isinstance(form, SendForm) and form.clashed:
        form.seen.data, form.seen.raw_data = shows, None
    shown = page(
        "reporting/report.html",
        report=report,
        form=form,
        next=rules.report_next(report.state),
        last=_overtaker(form, "periodic_report", report.id, report.reference),
        send=form
        if form.is_submitted() and isinstance(form, SendForm)
        else SendForm(formdata=None, data=stands | {"seen": shows}),
        give_back=form if isinstance(form, AnswerForm) else AnswerForm(formdata=None, data=stands),
        dossier=inside.dossier,
        sections=dossier_rules.answered(inside.dossier.content),
        budget=inside.budget,
        accepted=inside.accepted,
        names=inside.names,
        packages=inside.packages,
        today=clock.today(),
        held=held_back(agreements.holds([report.grant_id])[report.grant_id], clock.today()),
    )
    return shown, status_of(form)


def _not_now(report: ReportView, title: str) -> str:
    """What stands instead of a form whose deed is not possible in this state."""
    return page("reporting/not_now.html", report=report, title=title, next=rules.report_next(report.state))


@bp.post("/reports/<ref>/submit")
@requires(P.REPORT_SUBMIT)
def submit(ref: str) -> Any:
    report, form = _report(ref), SendForm()
    form.places = _places(report)
    if form.validate_on_submit():
        with form.attempt():
            services.submit(current_actor(), report.id, version=form.version_shown(), seen=form.seen.data or None)
            flash(f"Report {report.number} is with the programme.", "success")
            return see_other(".show", ref=ref)
    return _report_page(report, form)


def _places(report: ReportView) -> dict[str, tuple[str, str]]:
    """The parts of a report by the keys that problems name."""
    ref = report.reference
    sections = [found.section for found in dossiers.dossier(report.dossier_id).sections]
    return {
        **{each.key: (each.title, url_for(".section", ref=ref, key=each.key)) for each in sections},
        "costs": ("Costs of the period", url_for(".costs", ref=ref)),
        "lines": ("Costs line by line", url_for(".lines", ref=ref)),
        "receipts": ("Receipts of the action", url_for(".receipts", ref=ref)),
    }


@bp.post("/reports/<ref>/return")
@requires(P.REPORT_ACCEPT)
def give_back(ref: str) -> Any:
    return _answered(ref, services.give_back, "went back to the city.")


@bp.post("/reports/<ref>/reject")
@requires(P.REPORT_ACCEPT)
def reject(ref: str) -> Any:
    return _answered(ref, services.reject, "is rejected.")


@bp.post("/reports/<ref>/unsent")
@requires(P.REPORT_ACCEPT)
def settle_unsent(ref: str) -> Any:
    return _answered(ref, services.settle_unsent, "is settled without it. The balance follows.")


def _answered(ref: str, deed: Callable[..., object], said: str) -> Any:
    """What the programme answers to a report, in words that the city reads."""
    report, form = _report(ref), AnswerForm()
    if form.validate_on_submit():
        with form.attempt():
            deed(current_actor(), report.id, answer=str(form.answer.data), version=form.version_shown())
            flash(f"Report {report.number} {said}", "success")
            return see_other(".show", ref=ref)
    return _report_page(report, form)


# --- writing --------------------------------------------------------------------------------------------------


@bp.route("/reports/<ref>/sections/<key>", methods=["GET", "POST"])
@requires(P.REPORT_EDIT)
def section(ref: str, key: str) -> Any:
    report = _report(ref)
    found = dossiers.dossier(report.dossier_id).section(key)
    form = _section_form(found)
    if not form.is_submitted() and not report.in_hand_of_city:
        return _not_now(report, found.section.title)
    if not form.is_submitted():
        return _section_page(report, found, form)
    try:
        saved = services.write_section(current_actor(), report.id, key, form.answers(), shown=form.shown())
    except Conflict as error:
        weighed = dossiers.weighed_now(report.dossier_id, key, form.answers(), form.shown())
        typed = (*weighed.to_store, *(each.typed for each in weighed.contested))
        return _section_clash(report, key, weighed.contested, typed, f"{error} What you typed stands below.")
    except Invalid as error:
        form.place_problems(error)
    except Refused as error:
        form.add_problem(error)
    else:
        if saved.contested:
            return _section_clash(report, key, saved.contested, [each.typed for each in saved.contested])
        flash(f"Saved {clock.in_zone(clock.now()):%H:%M}.", "success")
        return see_other(".show", ref=ref)
    return _section_page(report, found, form), 422


def _section_form(found: SectionView) -> SectionForm:
    form = section_form(found)
    del form.complete
    return form


def _section_clash(
    report: ReportView, key: str, contested: Iterable[Contested], typed: Iterable[Answer], sentence: str = ""
) -> Any:
    found = dossiers.dossier(report.dossier_id).section(key)
    form = form_after_clash(found, typed)
    del form.complete
    clashes = tuple(merging.clash_of(found.question(each.question).question, each) for each in contested)
    form.problems.append(sentence or merging.clash_sentence(clashes, current_actor().user_id))
    return _section_page(report, found, form, clashes), 409


def _section_page(report: ReportView, found: SectionView, form: SectionForm, clashes: tuple[Clash, ...] = ()) -> str:
    savers = {clash.contested.saved_by for clash in clashes if clash.contested.saved_by}
    people = identity.people(savers) if savers else {}
    return page("reporting/section.html", report=report, section=found, form=form, clashes=clashes, savers=people)


@bp.route("/reports/<ref>/costs", methods=["GET", "POST"])
@requires(P.REPORT_EDIT)
def costs(ref: str) -> Any:
    report = _report(ref)
    if report.lump_sums:
        return see_other(".packages", ref=ref)
    stands = queries.costs(report)
    form = BudgetForm(data={"version": str(stands.version)})
    if not form.is_submitted() and not report.in_hand_of_city:
        return _not_now(report, "Costs of the period")
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
            stands = queries.costs(report)
            form.problems.append(str(error))
            form.try_again(stands.version)
            return _costs_page(report, stands, form), 409
    return _costs_page(report, stands, form), 422


def _costs_page(report: ReportView, stands: BudgetView, form: BudgetForm) -> str:
    own = queries.own_rows(current_actor(), report.grant_id)
    return page("reporting/costs.html", report=report, budget=stands, form=form, own=own)


@bp.route("/reports/<ref>/receipts", methods=["GET", "POST"])
@requires(P.REPORT_SUBMIT)
def receipts(ref: str) -> Any:
    """What the action earned, where the agreement takes a profit off the final amount."""
    report = _report(ref)
    if not report.asks_receipts:
        raise NotFound
    form = ReceiptsForm(
        data={"version": str(report.version), "amount": report.receipts, "words": report.receipts_words}
    )
    if not form.is_submitted() and not report.in_hand_of_city:
        return _not_now(report, "Receipts of the action")
    if form.validate_on_submit():
        with form.attempt():
            services.declare_receipts(current_actor(), report.id, form.to_input(), version=form.version_shown())
            flash("The receipts are saved.", "success")
            return see_other(".show", ref=ref)
        report = _report(ref)
    renew(form, report.version)
    shown = page(
        "reporting/receipts.html",
        report=report,
        form=form,
        next=rules.report_next(report.state),
        last=_overtaker(form, "periodic_report", report.id, report.reference),
    )
    return shown, status_of(form)


# --- the officer ----------------------------------------------------------------------------------------------


@bp.route("/reports/<ref>/accept", methods=["GET", "POST"])
@requires(P.REPORT_ACCEPT)
def accept(ref: str) -> Any:
    report = _report(ref)
    if report.lump_sums:
        return see_other(".judge_packages", ref=ref)
    stands = queries.costs(report)
    form = _accept_form(report, stands)
    if not form.is_submitted() and report.state is not ReportState.SUBMITTED:
        return _not_now(report, "Accept the report")
    if form.validate_on_submit():
        with form.attempt():
            services.accept(current_actor(), report.id, form.to_input(), version=form.version_shown())
            flash(f"Report {report.number} is accepted. Its payment can now be decided.", "success")
            return see_other(".show", ref=ref)
    if form.is_submitted():
        report = _report(ref)
    if form.clashed and report.state is not ReportState.SUBMITTED:
        return _report_page(report, form)
    return _accept_page(report, form)


def _accept_page(report: ReportView, form: AcceptForm) -> Any:
    renew(form, report.version)
    shown = page(
        "reporting/accept.html",
        report=report,
        form=form,
        next=rules.report_next(report.state),
        last=_overtaker(form, "periodic_report", report.id, report.reference),
    )
    return shown, status_of(form)


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
