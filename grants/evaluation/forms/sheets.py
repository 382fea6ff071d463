"""Forms of score sheets and of the consensus, made for the criteria of a call."""

from __future__ import annotations

import functools
from typing import Any

from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import Optional, ValidationError

from grants.calls.rules import Marking
from grants.evaluation import rules
from grants.evaluation.rules import (
    ConsensusPage,
    MarkInput,
    SheetInput,
    SheetView,
)
from grants.web.forms import ContestedForm, Form, choices


class MarkField(RadioField):
    """The marks of a criterion; what is none of them is refused with those there are."""

    def __init__(self, *args: Any, off_scale: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.off_scale = off_scale

    def pre_validate(self, form: Any) -> None:
        """Whatever was sent is one of the marks."""
        del form
        if self.data not in {value for value, *_ in self.iter_choices()}:
            raise ValidationError(self.off_scale)


class SheetForm(Form):
    """Base of the form that :func:`sheet_form` makes for the criteria of a call."""

    version = HiddenField()
    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def mark(self, key: str) -> tuple[Any, Any]:
        """The score and the comment of one criterion."""
        return self[f"half_{key}"], self[f"comment_{key}"]

    def typed(self) -> list[tuple[str, str]]:
        """The words that were typed, each with what it is about, for a page on which the form stands no more."""
        told = [(f"Words on {name}", self.mark(key)[1]) for key, name in zip(self.keys, self.names, strict=True)]
        return [
            (label, field.data) for label, field in (*told, (self["remark"].label.text, self["remark"])) if field.data
        ]

    def to_input(self) -> SheetInput:
        """The sheet as typed; a score that was not chosen stays missing."""
        marks = []
        for key in self.keys:
            half, comment = self.mark(key)
            marks.append(MarkInput(key, int(half.data) if half.data else None, comment.data or ""))
        return SheetInput(tuple(marks), self["remark"].data or "")


def sheet_form(
    marking: Marking,
    stored: SheetView | ConsensusPage,
    *,
    remark: str,
    said: str,
    **sent: Any,
) -> SheetForm:
    """A form with a scale and a comment for each criterion, filled with what is stored; ``formdata=None`` takes nothing sent."""
    data: dict[str, str | None] = {"version": str(stored.version), "remark": said}
    for criterion in marking.criteria:
        mark = stored.mark(criterion.key)
        data[f"half_{criterion.key}"] = None if mark.half is None else str(mark.half)
        data[f"comment_{criterion.key}"] = mark.comment
    return _kind_of_form(marking, remark)(data=data, **sent)


@functools.lru_cache(maxsize=32)
def _kind_of_form(marking: Marking, remark: str) -> type[SheetForm]:
    """The form of a call: made once, since its every field is looked for and put in order when it is first filled."""
    fields: dict[str, Any] = {}
    for criterion in marking.criteria:
        scale = choices((str(half), rules.half_words(half)) for half in marking.marks(criterion))
        fields[f"half_{criterion.key}"] = MarkField(
            f"Score for {criterion.name}", [Optional()], choices=scale, off_scale=rules.off_scale(criterion, marking)
        )
        fields[f"comment_{criterion.key}"] = TextAreaField("Why this score")
    fields["remark"] = TextAreaField(remark)
    fields["keys"] = tuple(criterion.key for criterion in marking.criteria)
    fields["names"] = tuple(criterion.name for criterion in marking.criteria)
    return type("MarksForm", (SheetForm,), fields)


class SettleForm(ContestedForm):
    """Closing a consensus with a view that could not be reconciled."""

    minority_view = TextAreaField("Minority view")
    unheard = TextAreaField("Why it is closed without an answer")


class ReopenConsensusForm(ContestedForm):
    """Opening an agreed consensus again."""

    reason = TextAreaField("Why it is opened again")


class DissentForm(ContestedForm):
    """What an evaluator holds instead of the consensus as proposed."""

    words = TextAreaField("What you hold instead")
