"""Forms of awards: the decision on a ranked list, its confirmation, its return."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, RadioField, TextAreaField
from wtforms.validators import Optional

from grants.awards.rules import DecisionInput
from grants.awards.states import LineRule
from grants.web.forms import Form, Needed, choices

LINE_WORDS = {
    LineRule.STOP: "Stop at the first application that asks for more than is left",
    LineRule.SKIP: "Go on and fund what still fits",
}


class DecisionForm(Form):
    """What the person who decides chooses; ``list_hash`` is the list on the page."""

    list_hash = HiddenField()
    line = RadioField(
        "Below the line", choices=choices((rule.value, words) for rule, words in LINE_WORDS.items()), default="stop"
    )
    reserve_max = IntegerField(
        "Places on the reserve list", [Optional()], description="Empty: everybody above the thresholds."
    )
    panel_order = TextAreaField(
        "The panel’s order of applications that stay tied",
        description="One reference a line, the first first. Only where the call’s rules leave a tie.",
    )
    reason = TextAreaField("Reason or note of the panel", [Needed("Write why the list is decided as it stands.")])

    def order(self) -> tuple[str, ...]:
        """The references the panel put in order."""
        return tuple(line.strip() for line in (self.panel_order.data or "").splitlines() if line.strip())

    def to_input(self) -> DecisionInput:
        """The frozen input."""
        line = LineRule(self.line.data or LineRule.STOP.value)
        return DecisionInput(
            self.list_hash.data or "", self.reason.data or "", line, self.reserve_max.data, self.order()
        )


class ConfirmForm(Form):
    """The second person confirms."""

    version = HiddenField()


class ReturnForm(Form):
    """The second person gives the list back."""

    version = HiddenField()
    reason = TextAreaField("What must be different", [Needed("Write what must be different before it is confirmed.")])
