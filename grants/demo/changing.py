"""How the call of the demo that is open now changes under its applicants: one slip corrected, one corrigendum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from grants.applications import services as applications
from grants.calls import queries as reads
from grants.calls import rules
from grants.calls import services as calls
from grants.calls.rules import CallView, CorrigendumInput
from grants.core.permissions import Actor
from grants.dossiers.rules import Definition, Question, QuestionKind

FORM = "application_form.sections"
NEW = Question(
    "heat_in_summer",
    "What does the pilot do for the hottest weeks of summer?",
    QuestionKind.LONG,
    hint="Shade, water, rooms to cool down in: what people will notice.",
    required=False,
    words_max=150,
)
CORRIGENDUM = CorrigendumInput(
    "Applicants asked how homes in summer count. A question asks for it now, and the one before it may be answered more fully.",
    None,
    "The new question may be left empty, and three weeks are left.",
)


def correct_a_slip(manager: Actor, call: CallView) -> None:
    """One word of help put right, with a note on the page of the call."""
    form = call.content.definition
    section = form.sections[0]
    question = section.questions[0]
    corrected = replace(question, hint=question.hint.replace("largest sources", "biggest sources"))
    _write(manager, call, _with(form, 0, (corrected, *section.questions[1:])))
    calls.correct_wording(manager, call.id)


def publish_a_corrigendum(manager: Actor, call_id: UUID, drafts: Sequence[UUID]) -> CallView:
    """A new question, a wider limit, one question less; the drafts follow at once."""
    call = reads.call_by_id(call_id)
    form = call.content.definition
    first, *_, last = form.sections[0].questions
    wider = replace(first, words_max=(first.words_max or 100) + 100)
    kept = tuple(each for each in form.sections[0].questions if each not in (first, last))
    _write(manager, call, _with(form, 0, (wider, *kept, NEW)))
    calls.publish_corrigendum(manager, call.id, CORRIGENDUM)
    for application_id in drafts:
        applications.move_to_version(manager, application_id)
    return reads.call_by_id(call_id)


def _with(form: Definition, place: int, questions: tuple[Question, ...]) -> Definition:
    sections = list(form.sections)
    sections[place] = replace(sections[place], questions=questions)
    return Definition(tuple(sections))


def _write(manager: Actor, call: CallView, form: Definition) -> None:
    """The form into the working copy, as the pages do it; sections of the call's own stay where they are."""
    stored = reads.values(manager, call.slug)[FORM].value
    own = Definition(form.sections[: len(stored.sections)])
    text = rules.to_yaml({"value": rules.tree_of(rules.FIELDS[FORM], own)})
    calls.edit_copy(manager, call.id, FORM, text)
