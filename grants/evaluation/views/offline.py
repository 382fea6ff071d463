"""A sheet on paper: the form as a file, and a filled one read again, difference first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, flash, request

from grants.core import files
from grants.core.errors import Invalid
from grants.core.file_types import MEDIA, FileType
from grants.dossiers import merging, offline
from grants.dossiers.forms import read_number
from grants.dossiers.merging import Proposed, Shown, Taking
from grants.dossiers.rules import Answer
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import FilledSheetForm
from grants.evaluation.rules import AssessmentPage
from grants.evaluation.views.frame import P, bp
from grants.web.downloads import hand_over as handed_over
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other

FILLED_BYTES_MAX = 10_000_000


@bp.get("/assessments/<ref>/form.docx")
@requires(P.ASSESSMENT_SCORE)
def sheet_document(ref: str) -> Response:
    """The own sheet as a Word file, with what is on it so far."""
    shown = queries.assessment_page(current_actor(), ref)
    notes = (
        f"{shown.head.title}, {shown.head.cities}. {shown.head.call_title}.",
        "Your own sheet: what you write here is seen by nobody before you have uploaded and submitted it.",
        "Choose each score from the words beside it. A score left empty is missing; it is never a zero.",
    )
    made = offline.written(f"Assessment of {ref}", notes, queries.form_of(shown), _answers(shown), whose=_own(ref))
    return handed_over(made, FileType.DOCX, f"{ref} assessment.docx")


@bp.get("/assessments/<ref>/form.xlsx")
@requires(P.ASSESSMENT_SCORE)
def sheet_workbook(ref: str) -> Response:
    """The same as a workbook."""
    shown = queries.assessment_page(current_actor(), ref)
    made = offline.written_sheet(f"Assessment of {ref}", queries.form_of(shown), _answers(shown), whose=_own(ref))
    return handed_over(made, FileType.XLSX, f"{ref} assessment.xlsx")


def _own(ref: str) -> str:
    """Which application a file scores and who scores it there."""
    actor = current_actor()
    assert actor.user_id is not None, "a sheet is somebody's"
    return rules.sheet_mark(ref, actor.name, actor.user_id)


def _answers(shown: AssessmentPage) -> dict[str, Answer]:
    return rules.answers_of(shown.sheet.marks, shown.sheet.remark)


@bp.get("/assessments/<ref>/offline")
@requires(P.ASSESSMENT_SCORE)
def sheet_offline(ref: str) -> Any:
    """Download the form, upload a filled one."""
    return _offline_page(queries.assessment_page(current_actor(), ref), FilledSheetForm(), None)


@bp.post("/assessments/<ref>/offline")
@requires(P.ASSESSMENT_SCORE)
def read_filled_sheet(ref: str) -> Any:
    """Read a filled file and show what it would change; nothing is changed yet."""
    form, shown = FilledSheetForm(), queries.assessment_page(current_actor(), ref)
    if form.validate_on_submit():
        with form.refusals():
            return _offline_page(shown, FilledSheetForm(formdata=None), _read(form, shown), form.file.data.filename)
    return _offline_page(shown, form, None), 422


def _read(form: FilledSheetForm, shown: AssessmentPage) -> offline.Filled:
    upload = form.file.data
    try:
        incoming = files.receive(upload, allowed={FileType.DOCX, FileType.XLSX}, bytes_max=FILLED_BYTES_MAX)
        upload.stream.seek(0)
        data, definition = upload.stream.read(incoming.size_bytes), queries.form_of(shown)
        is_book = incoming.media_type == MEDIA[FileType.XLSX]
        filled = offline.read_sheet(data, definition, _answers(shown)) if is_book else offline.read(data, definition)
        actor = current_actor()
        assert actor.user_id is not None, "a sheet is somebody's"
        rules.refuse_another_sheet(filled.whose, shown.head.reference, actor.name, actor.user_id)
        return filled
    except rules.AnotherSheet as error:
        form.elsewhere = queries.own_open_seat(current_actor(), error.reference)
        raise Invalid(str(error), {"file": str(error)}) from error
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error


@bp.post("/assessments/<ref>/offline/accept")
@requires(P.ASSESSMENT_SCORE)
def accept_filled_sheet(ref: str) -> Any:
    """Take over what was ticked, each where it still stands as it was shown."""
    shown, form = queries.assessment_page(current_actor(), ref), DeedForm()
    questions = [each for section in queries.form_of(shown).sections for each in section.questions]
    ticked = [each for each in questions if request.form.get(f"take_{each.key}")]
    given = tuple((each.key, tuple(request.form.getlist(f"value_{each.key}"))) for each in ticked)
    seen = tuple(Shown(each.key, read_number(request.form.get(f"number_{each.key}"))) for each in ticked)
    if form.validate_on_submit():
        with form.refusals():
            left = services.take_over(current_actor(), shown.head.id, given, seen) if given else ()
            count = len(given) - len(left)
            flash(f"{count} {'field is' if count == 1 else 'fields are'} taken over.", "success")
            for each in ticked:
                if each.key in left:
                    flash(f"“{each.label}” was changed meanwhile and is left as it is.", "warning")
            return see_other(".assessment", ref=ref)
    return _offline_page(shown, FilledSheetForm(formdata=None), None, problems=form.problems), 422


def _offline_page(
    shown: AssessmentPage,
    form: FilledSheetForm,
    filled: offline.Filled | None,
    name: str | None = None,
    problems: list[str] | None = None,
) -> str:
    found = list(_changed(shown, filled)) if filled is not None else []
    return page(
        "evaluation/sheet_offline.html",
        shown=shown,
        form=form,
        accepting=DeedForm(formdata=None),
        name=name,
        found=found,
        said=(*(problems or ()), *(filled.problems if filled is not None else ())),
        Taking=Taking,
        as_sent=rules.as_sent,
        places=filled.places if filled is not None else {},
        lacking=_lacking(shown, filled) if filled is not None else (),
    )


def _lacking(shown: AssessmentPage, filled: offline.Filled) -> tuple[str, ...]:
    """What the sheet would still need with all of the file on it: no reason to leave it, but told while the file is open."""
    whole = _answers(shown) | {answer.question: answer for answer in filled.answers}
    found = rules.lacking(rules.sheet_of(whole, shown.criteria), shown.marking)
    return tuple(f"{filled.places[name]}: {said}" if name in filled.places else said for name, said in found.items())


def _changed(shown: AssessmentPage, filled: offline.Filled) -> Iterator[Proposed]:
    offered, standing = {answer.question: answer for answer in filled.answers}, _answers(shown)
    for section in queries.form_of(shown).sections:
        for question in section.questions:
            key = question.key
            if key not in offered:
                continue
            made = merging.proposed(
                question,
                number=shown.sheet.number(key),
                standing=standing.get(key, Answer(key)),
                other=offered[key],
                is_cleared=key in filled.cleared,
                in_part=key in filled.in_part,
            )
            if made is not None:
                yield made
