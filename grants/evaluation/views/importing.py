"""Pages of a file of evaluators: a template, a look at what it would do, and exactly that done."""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Response, current_app, flash

from grants.calls.rules import CallView
from grants.core import files
from grants.core.errors import Invalid
from grants.core.file_types import MEDIA, FileType
from grants.core.text import CSV_MARK, csv_table, decoded
from grants.dossiers.offline import book_rows
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import EvaluatorsFileForm, EvaluatorsTakenForm
from grants.evaluation.rules import ImportPlan
from grants.evaluation.views.frame import P, bp
from grants.evaluation.views.looking import look_at, looked_at
from grants.evaluation.views.pool import topic_words
from grants.web.forms import status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/evaluators/import")
@requires(P.ASSIGNMENT_DECIDE)
def import_pool(slug: str) -> Any:
    """Choose a file of evaluators; or what one that was sent would do, worked out anew at each look."""
    call, form = queries.call_to_assign(current_actor(), slug), EvaluatorsFileForm(formdata=None)
    if said := looked_at(f"evaluators {call.id}", form):
        with form.refusals():
            return _shown(call, csv_table(said["text"]))
    return _page(call, form)


def _page(
    call: CallView, form: EvaluatorsFileForm, plan: ImportPlan | None = None, taking: EvaluatorsTakenForm | None = None
) -> str:
    return page(
        "evaluation/import_pool.html", call=call, form=form, plan=plan, columns=rules.IMPORT_COLUMNS,
        taking=taking or EvaluatorsTakenForm(formdata=None), topics=topic_words(call), roles=queries.roles_asked(call),
        at_once=rules.IMPORT_AT_ONCE,
    )  # fmt: skip


@bp.get("/calls/<slug>/evaluators/import/template.<any(csv, xlsx):kind>")
@requires(P.ASSIGNMENT_DECIDE)
def import_template(slug: str, kind: str) -> Any:
    """The empty file, with one line that shows how each cell is written."""
    queries.call_to_assign(current_actor(), slug)
    if kind == "csv":
        answer = Response(CSV_MARK + rules.template_text(), mimetype="text/csv")
    else:
        book = text_book("Evaluators", csv_table(rules.template_text()))
        answer = Response(book, mimetype=MEDIA[FileType.XLSX])
    answer.headers["Content-Disposition"] = f"attachment; filename=evaluators.{kind}"
    return answer


def text_book(name: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet in which everything is text, so that a spreadsheet makes no date of it and no number."""
    import xlsxwriter  # only where somebody asks for it

    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet, text = book.add_worksheet(name), book.add_format({"num_format": "@"})
        sheet.set_column(0, len(rows[0]) - 1, 24, text)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell, text)
    return target.getvalue()


@bp.post("/calls/<slug>/evaluators/import/look")
@requires(P.ASSIGNMENT_DECIDE)
def look_at_pool(slug: str) -> Any:
    """What a file would do, line by line; nothing is written."""
    call, form = queries.call_to_assign(current_actor(), slug), EvaluatorsFileForm()
    if form.validate_on_submit():
        with form.refusals():
            with said_at_file():
                table = read_table(form.file.data, "evaluators", len(rules.IMPORT_COLUMNS) + len(rules.TOLD_COLUMNS))
                shown = _shown(call, table)
            # By an address of its own: “back” leads to it, and nothing is sent again.
            name = look_at(f"evaluators {call.id}", text=rules.table_text(table))
            return see_other(".import_pool", slug=slug, look=name) if name else shown
    return _page(call, form), 422


@contextmanager
def said_at_file() -> Iterator[None]:
    """What is wrong with a file as a whole stands beside its field, and not above the form alone."""
    try:
        yield
    except Invalid as error:
        raise Invalid(str(error), error.problems or {"file": str(error)}) from error


def _shown(call: CallView, table: Sequence[Sequence[str]], problems: Sequence[str] = ()) -> str:
    """What the file would do now, ready to be confirmed."""
    plan = queries.import_plan(current_actor(), call, table)
    taking = _sealed(call, rules.table_text(table), plan)
    taking.problems += problems
    return _page(call, EvaluatorsFileForm(formdata=None), plan, taking)


def read_table(upload: Any, what: str, columns: int) -> list[list[str]]:
    """An uploaded CSV or workbook as a table of texts; raises :class:`Invalid` with the sentence beside the file."""
    try:
        if not upload or not upload.filename:
            raise Invalid(f"Choose a file with {what}, as CSV or as .xlsx.")
        # Looked into like every upload: bombs, macros and what reaches out are refused in words.
        head = upload.stream.read(4)
        upload.stream.seek(0)
        if head == b"PK\x03\x04":
            # Whoever comes with a third kind reads both that are taken.
            both = {FileType.XLSX, FileType.CSV}
            incoming = files.receive(upload, allowed=both, bytes_max=rules.IMPORT_BYTES_MAX)
            upload.stream.seek(0)
            rows = book_rows(upload.stream.read(incoming.size_bytes), columns_max=columns + 1)
            return rules.book_table(rows)
        data = upload.stream.read(rules.IMPORT_BYTES_MAX + 1)
        if head[:2] == b"PK" or upload.filename.casefold().endswith((".xlsx", ".xls", ".ods")):
            raise Invalid(
                "The file is not a workbook that can be read here; perhaps it is damaged. Open it in your spreadsheet "
                "program, save it as .xlsx or as CSV UTF-8, and upload that."
            )
        if not data:
            raise Invalid(f"The file is empty. Choose the file with the {what}.")
        if len(data) > rules.IMPORT_BYTES_MAX:
            limit = rules.IMPORT_BYTES_MAX // 1000
            raise Invalid(f"The file is larger than {limit} kB. Split it into several files.")
        return csv_table(decoded(data))
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error


def _seal(call: CallView, text: str, plan: bytes) -> str:
    """Proof that this very text was shown with this very plan: nothing else is ever taken over."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    told = hashlib.sha256(text.encode()).digest()
    return hmac.new(key, b"evaluators " + call.id.bytes + told + plan, hashlib.sha256).hexdigest()


def _sealed(call: CallView, text: str, plan: ImportPlan) -> EvaluatorsTakenForm:
    form = EvaluatorsTakenForm(formdata=None)
    form.text.data, form.seal.data = text, plan.sha256.hex() + _seal(call, text, plan.sha256)
    return form


def _opened(call: CallView, form: EvaluatorsTakenForm) -> tuple[str, bytes]:
    # What a browser makes of line ends is undone; the text is the one that was sealed.
    text, seal = (form.text.data or "").replace("\r\n", "\n"), form.seal.data or ""
    try:
        shown = bytes.fromhex(seal[:64])
    except ValueError:
        shown = b""
    if not hmac.compare_digest(seal[64:].encode(), _seal(call, text, shown).encode()):
        raise Invalid("This is not the file that was shown. Nothing was taken over; upload it again and look at it.")
    return text, shown


@bp.post("/calls/<slug>/evaluators/import/take")
@requires(P.ASSIGNMENT_DECIDE)
def take_pool(slug: str) -> Any:
    """Do exactly what was shown; where that is no longer so, show what the file would do now."""
    call, form = queries.call_to_assign(current_actor(), slug), EvaluatorsTakenForm()
    if form.validate_on_submit():
        with form.refusals():
            text, shown = _opened(call, form)
            done = services.import_evaluators(current_actor(), call.id, text, shown)
            if done.takes_a_job:
                flash(f"{len(done.doing)} lines are being taken over. This page says how far they are.", "success")
                return see_other(".pool", slug=slug)
            flash(
                "Taken over: " + "; ".join(f"{deed.words.lower()}: {count}" for deed, count in done.counts) + ".",
                "success",
            )
            return see_other(".pool", slug=slug)
    again = EvaluatorsFileForm(formdata=None)
    again.problems += [sentence for sentence, _ in form.what_is_wrong()]
    with again.refusals():
        # The text that was sealed here is looked at anew; of any other nothing is shown.
        text, _ = _opened(call, form)
        return _shown(call, csv_table(text), again.problems), status_of(form)
    again.problems = list(dict.fromkeys(again.problems))
    return _page(call, again), status_of(form)
