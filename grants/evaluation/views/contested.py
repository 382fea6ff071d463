"""What a page says where somebody wrote first: both texts with a draft of both, in JSON while one types and on the page without a script."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, request

from grants.core.errors import Conflict
from grants.dossiers import merging
from grants.dossiers import rules as dossiers
from grants.dossiers.forms import CHOOSE, Side, number_name, read_number
from grants.dossiers.merging import Clash, Shown
from grants.dossiers.queries.versions import AnswerVersionView
from grants.dossiers.rules import Answer, Definition, Question
from grants.evaluation import rules
from grants.evaluation.forms import SheetForm
from grants.evaluation.rules import FieldSaved
from grants.evaluation.services import FieldsChanged
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, said_in_json


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody else, or another window, stored in a field: in words and as the form sends it, with a draft of both."""

    stored: str
    stored_sent: str
    merged: str = ""
    overlaps: int = 0

    @property
    def merged_sent(self) -> str:
        """Only texts have a draft of both."""
        return self.merged


def meanwhile_of(form: Definition, error: Conflict) -> dict[str, Meanwhile]:
    """By field what was stored first, to be read beside what was typed."""
    found = {}
    for each in error.contested if isinstance(error, FieldsChanged) else ():
        question = form.question(each.question)
        assert question is not None, "what is contested is a field of the form"
        clash = merging.clash_of(question, each)
        found[each.question] = Meanwhile(
            dossiers.shown(question, each.stored) or "nothing",
            "".join(rules.as_sent(question, each.stored)),
            dossiers.shown(question, clash.merged) if clash.merged else "",
            clash.draft.overlaps if clash.draft else 0,
        )
    return found


def take_sides(form: SheetForm) -> None:
    """Without a script: put into each field the text that was chosen on the page, the own one, the stored one or the draft of both."""
    for field in form:
        side = request.form.get(f"{CHOOSE}{field.name}")
        if side in (Side.THEIRS.value, Side.MERGED.value):
            text = request.form.get(f"{side}_{field.name}", "")
            field.data, field.raw_data = text or None, [text]


def shown_in(form: Definition) -> tuple[Shown, ...] | None:
    """Which version of each field the sent form showed; None where it told of none."""
    names = [each.key for section in form.sections for each in section.questions]
    sent: Mapping[str, str | None] = {name: request.form.get(number_name(name)) for name in names}
    if not any(sent.values()):
        return None
    return tuple(Shown(name, read_number(number)) for name, number in sent.items())


def numbers_carried(form: Definition, standing: Mapping[str, int], settled: Collection[str] = ()) -> dict[str, int]:
    """The number each field of a form that comes back carries on: the one it was sent with, so that nothing counts as seen unseen.

    Of ``settled`` fields what stands is shown on the page: they carry its number.
    """
    told = {each.question: each.number for each in shown_in(form) or () if each.question not in settled}
    return {**standing, **told}


def contested_json(clash: Clash, said: str) -> Response:
    """Both texts and the draft of both, as the script of the page asks for them."""
    question, merged = clash.question, clash.merged
    return said_in_json(
        409,
        said,
        number=clash.contested.number,
        stored=rules.as_sent(question, clash.contested.stored),
        stored_shown=dossiers.shown(question, clash.contested.stored),
        merged=_sent(question, merged),
        merged_shown=dossiers.shown(question, merged) if merged else None,
        overlaps=clash.draft.overlaps if clash.draft else 0,
        own=clash.contested.saved_by == current_actor().user_id,
    )


def _sent(question: Question, merged: Answer | None) -> Any:
    return rules.as_sent(question, merged) if merged else None


def words_of(found: Iterable[tuple[str, int]]) -> str:
    """Whose sentences stand word for word in a text, in one line; empty where none does.

    >>> words_of((("Ada", 1), ("Ben", 2)))
    'Word for word from: Ada (1 sentence), Ben (2 sentences).'
    """
    told = ", ".join(f"{name} ({count} {'sentence' if count == 1 else 'sentences'})" for name, count in found)
    return f"Word for word from: {told}." if told else ""


def stand_again(
    form: DeedForm,
    question: Question,
    version: AnswerVersionView,
    save: Callable[..., FieldSaved],
    by: str = "This was saved",
) -> int:
    """Save an earlier version of a field as the newest one; the status: 303 where it stands, else what is in its way is in the form."""
    status = 422
    try:
        with form.refusals():
            saved = save(rules.as_sent(question, version.answer), read_number(request.form.get("shown")))
            if saved.other is None:
                flash(f"Version {version.number} stands again. What stood before is kept below it.", "success")
                return 303
            status = 409
    except Conflict:
        status = 409
    if status == 409:
        form.problems.append(f"{by} while you were reading. Nothing was changed; look again.")
    return status
