"""Forms of score sheets and of the consensus, made for the criteria of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import Optional

from grants.calls.rules import Criterion
from grants.evaluation import rules
from grants.evaluation.rules import (
    ConsensusPage,
    MarkInput,
    SheetInput,
    SheetView,
)
from grants.web.forms import ContestedForm, Form, choices


class SheetForm(Form):
    """Base of the form that :func:`sheet_form` makes for the criteria of a call."""

    version = HiddenField()
    keys: tuple[str, ...] = ()

    def mark(self, key: str) -> tuple[Any, Any]:
        """The score and the comment of one criterion."""
        return self[f"half_{key}"], self[f"comment_{key}"]

    def to_input(self) -> SheetInput:
        """The sheet as typed; a score that was not chosen stays missing."""
        marks = []
        for key in self.keys:
            half, comment = self.mark(key)
            marks.append(MarkInput(key, int(half.data) if half.data else None, comment.data or ""))
        return SheetInput(tuple(marks), self["remark"].data or "")


def sheet_form(
    criteria: Sequence[Criterion],
    max_half: int,
    stored: SheetView | ConsensusPage,
    *,
    remark: str,
    said: str,
    **sent: Any,
) -> SheetForm:
    """A form with a scale and a comment for each criterion, filled with what is stored; ``formdata=None`` takes nothing sent."""
    scale = choices((str(half), rules.half_words(half)) for half in range(max_half + 1))
    fields: dict[str, Any] = {}
    for criterion in criteria:
        mark = stored.mark(criterion.key)
        chosen = None if mark.half is None else str(mark.half)
        fields[f"half_{criterion.key}"] = RadioField(
            f"Score for {criterion.name}", [Optional()], choices=scale, default=chosen
        )
        fields[f"comment_{criterion.key}"] = TextAreaField("Why this score", default=mark.comment)
    fields["remark"] = TextAreaField(remark, default=said)
    fields["keys"] = tuple(criterion.key for criterion in criteria)
    form: SheetForm = type("MarksForm", (SheetForm,), fields)(data={"version": str(stored.version)}, **sent)
    return form


class SettleForm(ContestedForm):
    """Closing a consensus with a view that could not be reconciled."""

    minority_view = TextAreaField("The view that remains")


class DissentForm(ContestedForm):
    """What an evaluator holds instead of the consensus as proposed."""

    words = TextAreaField("What you hold instead")
