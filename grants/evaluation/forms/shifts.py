"""Forms of the panel that move a score."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction

from wtforms import StringField, TextAreaField

from grants.core.errors import Invalid
from grants.evaluation.rules import ShiftInput
from grants.web.forms import A_PARAGRAPH, ContestedForm, DeedForm, Needed

_POINTS = re.compile(r"([+−-]?)([0-9]{1,4})(?:[.,]([05]))?")


class ShiftForm(DeedForm):
    """By how many points the score is moved, and why."""

    shift = StringField("Points up or down", [Needed("Write by how many points, for example 10 or -5.")])
    reason = TextAreaField(
        "Reason", [Needed("Write why the score is moved; the reason stands beside it on the list."), A_PARAGRAPH]
    )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A number of half points."""
        yield self.to_input

    def to_input(self) -> ShiftInput:
        """The shift as typed; raises :class:`Invalid` where it is no number of half points."""
        read = _POINTS.fullmatch((self.shift.data or "").strip())
        if read is None:
            sentence = "Write points in halves, for example 10, -5 or 2.5."
            raise Invalid(sentence, {"shift": sentence})
        sign, whole, half = read.groups()
        points = int(Fraction(f"{whole}.{half or 0}") * 2)
        return ShiftInput(-points if sign in ("−", "-") else points, self.reason.data or "")


class ReturnShiftForm(ContestedForm):
    """Giving a proposed move back."""

    return_reason = TextAreaField("Why it is returned", [Needed("Say why the score is not moved."), A_PARAGRAPH])
