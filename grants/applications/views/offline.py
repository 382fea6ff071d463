"""The form on paper: as a file with one's answers, and filled files read again, difference first.

The same page takes answers over from an earlier application of the same people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response, flash, request

from grants.applications import queries, services
from grants.applications.forms import FilledForm
from grants.applications.queries import Workplace
from grants.applications.rules import TakenSection
from grants.applications.views.frame import bp, team_context
from grants.calls.rules.saying import form_notes
from grants.core import files
from grants.core.errors import Invalid
from grants.core.file_types import MEDIA, FileType
from grants.core.permissions import Permission
from grants.dossiers import merging, offline
from grants.dossiers import rules as dossier_rules
from grants.dossiers.forms import read_number
from grants.dossiers.merging import Proposed, Shown, Taking
from grants.dossiers.queries import SectionView
from grants.dossiers.rules import Answer
from grants.web.downloads import hand_over
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other

FILLED_BYTES_MAX = 10_000_000


@bp.get("/applications/<ref>/form.xlsx")
@requires(Permission.APPLICATION_READ)
def own_sheet(ref: str) -> Response:
    """The workbook with what the team has written so far."""
    place = queries.workplace(current_actor(), ref)
    made = offline.written_sheet(place.application.title, place.dossier.definition, _answers(place))
    return hand_over(made, FileType.XLSX, f"{ref} form.xlsx")


@bp.get("/applications/<ref>/form.docx")
@requires(Permission.APPLICATION_READ)
def own_form(ref: str) -> Response:
    """The same with what the team has written so far."""
    place = queries.workplace(current_actor(), ref)
    title = f"{place.application.title} ({ref})"
    notes = form_notes(place.application.call)
    made = offline.written(title, notes, place.dossier.definition, _answers(place))
    return hand_over(made, FileType.DOCX, f"{ref} form.docx")


def _answers(place: Workplace) -> dict[str, Answer]:
    return {key: answer for section in place.dossier.sections for key, answer in section.answers.items()}


@bp.get("/applications/<ref>/offline")
@requires(Permission.APPLICATION_EDIT)
def write_offline(ref: str) -> Any:
    """Download the form, upload a filled one, or look at what an earlier application says."""
    place = queries.workplace(current_actor(), ref)
    source = request.args.get("from", "")
    if not source:
        return _offline_page(place, FilledForm(), None)
    earlier = queries.workplace(current_actor(), source)
    answers = tuple(answer for section in earlier.dossier.sections for answer in section.answers.values())
    title = f"What \u201c{earlier.application.name}\u201d ({source}) says otherwise"
    return _offline_page(place, FilledForm(), offline.Filled(answers, ()), title=title, from_earlier=True)


@bp.post("/applications/<ref>/offline")
@requires(Permission.APPLICATION_EDIT)
def read_filled(ref: str) -> Any:
    """Read a filled file and show what it would change; nothing is changed yet."""
    form, place = FilledForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.refusals():
            filled = _read(form, place)
            title = f"What \u201c{form.file.data.filename}\u201d says otherwise"
            return _offline_page(place, FilledForm(formdata=None), filled, title=title)
    return _offline_page(place, form, None), 422


def _read(form: FilledForm, place: Workplace) -> offline.Filled:
    upload = form.file.data
    try:
        # Looked into like every upload: bombs, macros and what reaches out are refused in words.
        incoming = files.receive(upload, allowed={FileType.DOCX, FileType.XLSX}, bytes_max=FILLED_BYTES_MAX)
        upload.stream.seek(0)
        data, definition = upload.stream.read(incoming.size_bytes), place.dossier.definition
        is_sheet = incoming.media_type == MEDIA[FileType.XLSX]
        return offline.read_sheet(data, definition, _answers(place)) if is_sheet else offline.read(data, definition)
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error


@bp.post("/applications/<ref>/offline/accept")
@requires(Permission.APPLICATION_EDIT)
def accept_filled(ref: str) -> Any:
    """Take over what was ticked."""
    place, form = queries.workplace(current_actor(), ref), DeedForm()
    with form.refusals():
        given = tuple(_ticked(place))
        left = services.take_over(current_actor(), place.application.id, given)
        count = sum(len(section.answers) for section in given) - len(left)
        if count or left:
            flash(f"{count} {'answer is' if count == 1 else 'answers are'} taken over.", "success")
        else:
            flash("Nothing was ticked, so nothing is changed.", "success")
        for key in left:
            label = next(q.question.label for s in place.dossier.sections for q in s.questions if q.question.key == key)
            flash(f"\u201c{label}\u201d was changed meanwhile and is left as it is.", "warning")
        taken = {answer.question for section in given for answer in section.answers} - set(left)
        for sentence in _faults(queries.workplace(current_actor(), ref), taken):
            flash(sentence, "warning")
        return see_other(".show", ref=ref)
    return _offline_page(place, FilledForm(formdata=None), None, problems=form.problems), 422


def _faults(place: Workplace, taken: set[str]) -> Iterable[str]:
    """What is wrong with the answers taken, as it is said after saving them in their section."""
    for section in place.dossier.sections:
        for item in section.questions:
            if item.question.key in taken and item.fault:
                yield f"{section.section.title}: {item.fault}"


def _ticked(place: Workplace) -> Iterable[TakenSection]:
    for section in place.dossier.sections:
        taken = [item for item in section.questions if request.form.get(f"take_{item.question.key}")]
        if taken:
            yield TakenSection(
                section.key,
                tuple(
                    dossier_rules.read_typed(item.question, request.form.getlist(f"value_{item.question.key}"))
                    for item in taken
                ),
                tuple(
                    Shown(item.question.key, read_number(request.form.get(f"number_{item.question.key}")))
                    for item in taken
                ),
            )


def _offline_page(
    place: Workplace,
    form: FilledForm,
    filled: offline.Filled | None,
    problems: Iterable[str] = (),
    *,
    title: str = "",
    from_earlier: bool = False,
) -> str:
    context = team_context(place)
    found: list[tuple[SectionView, list[Proposed]]] = []
    others = []
    for section in place.dossier.sections:
        changed = list(_changed(section, filled)) if filled is not None else []
        if changed and not context["writes_section"](section):
            others.append(f"{section.section.title}: not taken, for this section is not asked of you.")
        elif changed:
            found.append((section, changed))
    each = [(section, one) for section, changed in found for one in changed]
    places = filled.places if filled is not None else {}
    earlier, more_earlier = queries.earlier(current_actor(), place.application.id)
    return page(
        "applications/offline.html",
        form=form,
        title=title,
        asked=filled is not None,
        from_earlier=from_earlier,
        found=found,
        said=(*problems, *(filled.problems if filled is not None else ()), *others),
        faults=[(one, places.get(one.question.key, section.section.title)) for section, one in each if one.problem],
        empties=any(one.taking is Taking.EMPTIES for _, one in each),
        Taking=Taking,
        earlier=earlier,
        more_earlier=more_earlier,
        as_typed=dossier_rules.as_typed,
        **context,
    )


def _changed(section: SectionView, filled: offline.Filled) -> Iterable[Proposed]:
    """What the file, or the earlier application, says otherwise in one section."""
    offered = {answer.question: answer for answer in filled.answers}
    for item in section.questions:
        key = item.question.key
        if key not in offered or item.question.kind is dossier_rules.QuestionKind.FILE:
            continue
        made = merging.proposed(
            item.question,
            number=item.number,
            standing=item.answer,
            other=offered[key],
            is_cleared=key in filled.cleared,
            in_part=key in filled.in_part,
        )
        if made is not None:
            yield made
