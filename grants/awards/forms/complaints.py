"""Forms of complaints: the applicant's draft, and each step of those who handle it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from wtforms import HiddenField, MultipleFileField, RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from grants.awards.rules.complaints import REMEDIES, REMEDY_WORDS, ComplaintInput, ComplaintView, SecondDecision
from grants.awards.states import Remedy
from grants.calls.rules import GROUND_WORDS, ComplaintRules
from grants.core.errors import Invalid
from grants.web.forms import CharactersMax, CheckboxesField, ContestedForm, DateField, Needed, choices

LONG = CharactersMax(6_000)


def _id(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


class ComplaintForm(ContestedForm):
    """What the applicant writes; saved as a draft, or sent for good."""

    grounds = CheckboxesField("What do you complain about?")
    text = TextAreaField("What was done wrong, and what shows it?")
    file = MultipleFileField("Evidence", [Optional()])

    def offer(self, rules: ComplaintRules) -> None:
        """The grounds the call allows."""
        self.grounds.choices = choices((each.value, GROUND_WORDS[each]) for each in rules.allowed)

    def to_input(self) -> ComplaintInput:
        """The frozen input, as typed."""
        return ComplaintInput(tuple(self.grounds.data or ()), self.text.data or "")


class FileOutForm(ContestedForm):
    """Which file is taken out."""

    thing = HiddenField()

    def thing_id(self) -> UUID | None:
        """The file meant; None where what was sent is no id."""
        return _id(self.thing.data)


class WithdrawForm(ContestedForm):
    """Withdrawing what was sent."""

    reason = TextAreaField("Why do you withdraw it?", [LONG, Needed("Say in a sentence why you withdraw it.")])


class CheckForm(ContestedForm):
    """Admissible or not; only the latter needs a reason."""

    reason = TextAreaField("Why is it not admissible?", [Optional(), LONG])


class CommitteeForm(ContestedForm):
    """The two who decide it."""

    member_one = SelectField("First of the committee")
    member_two = SelectField("Second of the committee")

    def offer(self, people: Iterable[tuple[UUID, str]]) -> None:
        """Who may be named."""
        shown = [("", "Choose a person"), *((str(key), name) for key, name in people)]
        self.member_one.choices = self.member_two.choices = choices(shown)

    def to_input(self) -> tuple[UUID, UUID]:
        """The two; raises :class:`Invalid` where one is missing."""
        one, two = _id(self.member_one.data), _id(self.member_two.data)
        if one is None or two is None:
            field = "member_one" if one is None else "member_two"
            raise Invalid("Name a committee of two.", {field: "Choose a person."})
        return one, two


class MoreTimeForm(ContestedForm):
    """A later day, and why."""

    day = DateField("Decided by")
    reason = TextAreaField("Why is more time needed?", [LONG])


class ProposeForm(ContestedForm):
    """What one of the committee proposes."""

    upholds = RadioField(
        "The complaint is", choices=choices([("yes", "Upheld"), ("no", "Rejected")]), validate_choice=False
    )
    remedy = RadioField("What follows, if it is upheld", [Optional()])
    text = TextAreaField("Reasons", [LONG])

    def offer(self, view: ComplaintView) -> None:
        """The remedies of the result it is about."""
        self.remedy.choices = choices((each.value, REMEDY_WORDS[each]) for each in REMEDIES[view.about])

    def to_input(self) -> SecondDecision:
        """The frozen input."""
        upholds = {"yes": True, "no": False}.get(self.upholds.data or "")
        return SecondDecision(upholds, Remedy(self.remedy.data) if self.remedy.data else None, self.text.data or "")


class ReturnDecisionForm(ContestedForm):
    """Giving a proposal back."""

    reason = TextAreaField("What must be different?", [LONG])
