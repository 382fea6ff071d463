"""Pages of costs line by line: the list with its sums, the box it is changed in, its evidence, and what stands twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import flash, request

from grants.agreements import queries as agreements
from grants.core import files
from grants.core.errors import Conflict, Invalid, NotFound
from grants.core.file_types import FileType
from grants.core.text import csv_table, decoded
from grants.dossiers.offline.workbook import book_rows
from grants.reporting import queries, rules
from grants.reporting.forms.lines import EvidenceForm, JudgeForm, LinesForm
from grants.reporting.queries import lines as reads
from grants.reporting.rules import ReportView
from grants.reporting.rules.line_sums import differences
from grants.reporting.rules.lines import (
    HEAD,
    LINES_MAX,
    MISTAKES_SHOWN_MAX,
    Column,
    as_text,
    from_text,
)
from grants.reporting.services import lines as acts_on_lines
from grants.reporting.services.lines import Trial
from grants.reporting.states import ReportState
from grants.reporting.views.frame import P, bp
from grants.web import downloads, paging
from grants.web.downloads import send
from grants.web.forms import received, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other

LISTS = frozenset({FileType.CSV, FileType.XLSX})
EVIDENCE = frozenset({FileType.PDF, FileType.JPEG, FileType.PNG})
_NUMBER = "<int(max=99999):number>"


def _report_of(ref: str) -> ReportView:
    """The report, where its costs are declared line by line; nothing is there of another one."""
    found = queries.report(current_actor(), ref)
    if not found.by_lines:
        raise NotFound
    return found


def _is_staff(report: ReportView) -> bool:
    return current_actor().may(P.REPORT_ACCEPT, agreements.lies_in(report.grant_id))


@bp.get("/reports/<ref>/lines")
@requires(P.REPORT_READ)
def lines(ref: str) -> Any:
    """Every cost of a report, what they come to beside what is declared, and costs that stand elsewhere too."""
    return _lines_page(_report_of(ref))


def _lines_page(report: ReportView, evidence: EvidenceForm | None = None) -> Any:
    staff = _is_staff(report)
    found = reads.lines_page(current_actor(), report.id, paging.asked(), staff=staff)
    stands = queries.costs(report)
    shown = page(
        "reporting/lines.html",
        report=report,
        found=found,
        budget=stands,
        differences=differences(stands.cells, found.sums),
        names=queries.names(report.grant_id),
        staff=staff,
        evidence=evidence or EvidenceForm(formdata=None),
    )
    return shown, 422 if evidence is not None else 200


@bp.get("/reports/<ref>/lines.<any(csv, xlsx):kind>")
@requires(P.REPORT_READ)
def lines_file(ref: str, kind: str) -> Any:
    """The same as a file, each line with its amount in euros."""
    report = _report_of(ref)
    return downloads.list_file(f"costs {report.reference}", (*HEAD, "amount_eur"), _file_lines(report), kind)


def _file_lines(report: ReportView) -> Iterator[tuple[object, ...]]:
    for line in reads.every_line(report.id):
        yield (
            *(
                line.partner,
                line.category,
                line.day,
                line.invoice,
                line.supplier,
                line.worker,
                line.what,
                line.currency,
            ),
            *(line.amount, "yes" if line.is_correction else None, line.file_name, line.euros),
        )


# --- entering -------------------------------------------------------------------------------------------------


@bp.route("/reports/<ref>/lines/edit", methods=["GET", "POST"])
@requires(P.REPORT_EDIT)
def import_lines(ref: str) -> Any:
    """The lines as rows of a box, or from a spreadsheet: looked at first, with every mistake by its row, and kept when right."""
    report = _report_of(ref)
    form = LinesForm()
    if not report.in_hand_of_city:
        return page(
            "reporting/not_now.html", report=report, title="Costs line by line", next=rules.report_next(report.state)
        )
    if not form.is_submitted():
        form.rows.data = as_text([HEAD, *_own_rows(report)])
        form.shown.data = queries.list_hash(report.id) or ""
        return _edit_page(report, form)
    if not form.validate():
        return _edit_page(report, form), 422
    try:
        rows = _sent_rows(form)
    except Invalid as error:
        form.file.errors = [*form.file.errors, str(error)]
        return _edit_page(report, form), 422
    return _look_or_keep(report, form, rows)


def _look_or_keep(report: ReportView, form: LinesForm, rows: list[list[str]]) -> Any:
    actor = current_actor()
    trial = acts_on_lines.try_lines(actor, report.id, rows)
    if trial.mistakes:
        return _edit_page(report, form, trial), 422
    if request.form.get("deed") != "keep":
        return _edit_page(report, form, trial)
    try:
        with form.refusals():
            kept = acts_on_lines.keep_lines(actor, report.id, rows, shown=form.shown.data or "")
            flash(f"{kept} {'line is' if kept == 1 else 'lines are'} saved.", "success")
            return see_other(".lines", ref=report.reference)
    except Conflict as error:
        form.problems.append(str(error))
        # Looked at what stands now, the same rows may be sent again.
        form.shown.data, form.shown.raw_data = queries.list_hash(report.id) or "", None
        return _edit_page(report, form, trial), 409
    return _edit_page(report, form, trial), 422


def _own_rows(report: ReportView) -> list[tuple[str, ...]]:
    """The lines this person declares for; others keep their own."""
    mine = {queries.names(report.grant_id)[each] for each in queries.own_rows(current_actor(), report.grant_id)}
    return [row for row in reads.all_rows(report.id) if row[0] in mine]


def _sent_rows(form: LinesForm) -> list[list[str]]:
    """The rows that count: of the spreadsheet where one was chosen, which then stands in the box, else of the box."""
    if not form.file.data:
        return from_text(form.rows.data or "")
    upload = form.file.data
    incoming = files.receive(upload, allowed=LISTS)
    upload.stream.seek(0)
    data = upload.stream.read(incoming.size_bytes)
    if incoming.name.lower().endswith(".csv"):
        found: list[list[object]] = [list(row) for row in csv_table(decoded(data))]
    else:
        found = [list(row) for row in book_rows(data, columns_max=len(Column) + 5, rows_max=LINES_MAX + 2)]
    form.rows.data, form.rows.raw_data = as_text(found), None
    return from_text(form.rows.data)


def _edit_page(report: ReportView, form: LinesForm, trial: Trial | None = None) -> str:
    stands = queries.costs(report)
    return page(
        "reporting/lines_edit.html",
        report=report,
        form=form,
        trial=trial,
        mistakes=trial.mistakes[:MISTAKES_SHOWN_MAX] if trial else (),
        differences=differences(stands.cells, trial.sums) if trial and not trial.mistakes else (),
        budget=stands,
        names=queries.names(report.grant_id),
        columns=list(Column),
        lines_max=LINES_MAX,
    )


# --- evidence -------------------------------------------------------------------------------------------------


@bp.post("/reports/<ref>/lines/evidence")
@requires(P.REPORT_EDIT)
def add_evidence(ref: str) -> Any:
    """A file that lines can name."""
    report, form = _report_of(ref), EvidenceForm()
    if form.validate_on_submit():
        with form.refusals():
            incoming = received(form.file, allowed=EVIDENCE)
            if incoming is not None:
                kept = acts_on_lines.add_evidence(current_actor(), report.id, incoming)
                flash(f"{kept.name} is uploaded. Lines name it in their column “file”.", "success")
                return see_other(".lines", ref=ref)
    return _lines_page(report, form)


@bp.get("/reports/<ref>/lines/evidence/<sha256>")
@requires(P.REPORT_READ)
def open_evidence(ref: str, sha256: str) -> Any:
    return send(acts_on_lines.open_evidence(current_actor(), _report_of(ref).id, sha256))


# --- the officer ----------------------------------------------------------------------------------------------


@bp.route(f"/reports/<ref>/lines/{_NUMBER}/decide", methods=["GET", "POST"])
@requires(P.REPORT_ACCEPT)
def judge_line(ref: str, number: int) -> Any:
    """Whether a line that stands elsewhere too is paid once only, or is not accepted here."""
    actor, report = current_actor(), _report_of(ref)
    form = JudgeForm(data={"version": str(report.version)})
    found = [each for each in reads.doubles(actor, report.id, staff=True) if each.number == number]
    if not found:
        raise NotFound
    if form.validate_on_submit():
        with form.attempt():
            acts_on_lines.judge_line(
                actor, report.id, number, form.chosen, reason=str(form.reason.data), version=form.version_shown()
            )
            flash(f"It is decided on line {number}.", "success")
            return see_other(".lines", ref=ref)
        report = _report_of(ref)
    renew(form, report.version)
    shown = page(
        "reporting/line_decide.html",
        report=report,
        number=number,
        found=found,
        form=form,
        open=report.state is ReportState.SUBMITTED,
        next=rules.report_next(report.state),
    )
    return shown, status_of(form)
