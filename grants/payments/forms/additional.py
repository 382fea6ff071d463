"""What the city types to ask for additional pre-financing: what it used of the first."""

from __future__ import annotations

from wtforms import TextAreaField

from grants.core.money import Money
from grants.payments.rules.additional import DECLARATION, UseInput
from grants.web.forms import A_PARAGRAPH, CheckboxesField, DateField, MoneyField, MoneyForm, Needed, choices


class UseForm(MoneyForm):
    """A statement of use: how much, by which day, on what, and that it agrees with the accounts."""

    used = MoneyField("Used of the pre-financing", [Needed("Enter what was used of it, or 0.")])
    used_until = DateField("Spent by the end of", [Needed("Enter the day up to which you counted.")])
    words = TextAreaField("On what it was used", [A_PARAGRAPH, Needed("Say on what it was used.")], id="words_use")
    declared = CheckboxesField(
        "Declaration",
        [Needed("Tick it: without the declaration nothing can be asked for.")],
        choices=choices([("yes", DECLARATION)]),
    )

    def to_input(self) -> UseInput:
        """What was stated."""
        assert isinstance(self.used.data, Money) and self.used_until.data is not None, "validated before"
        return UseInput(self.used.data, self.used_until.data, self.words.data or "")
