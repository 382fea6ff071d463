"""What is typed to keep records whatever their time, and to let them go again."""

from __future__ import annotations

from wtforms import StringField, TextAreaField

from grants.payments.rules.retaining import HoldInput
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, ContestedForm, Form, Needed


class HoldForm(Form):
    """What is held, by its reference, and why."""

    reference = StringField(
        "Call or grant",
        [WORDS_OF_A_TITLE, Needed("Enter the reference of a call or a grant, for example PCP-2022-G-0001.")],
    )
    reason = TextAreaField(
        "Why its records are held", [A_PARAGRAPH, Needed("Say why: the audit, the investigation or the dispute.")]
    )

    def to_input(self) -> HoldInput:
        """The typed hold."""
        return HoldInput(str(self.reference.data), str(self.reason.data))


class LiftLegalHoldForm(ContestedForm):
    """Why a hold is lifted."""

    reason = TextAreaField(
        "Why they need no longer be held", [A_PARAGRAPH, Needed("Say why its records need no longer be held.")]
    )
