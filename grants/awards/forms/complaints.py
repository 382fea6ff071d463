"""Forms of complaints: the applicant's draft, and each step of those who handle it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from wtforms import HiddenField, MultipleFileField, RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from grants.applications.states import ApplicationState
from grants.awards.rules.complaints import (
    REMEDIES,
    REMEDY_WORDS,
    ComplaintInput,
    ComplaintView,
    SecondDecision,
    checked_extension,
)
from grants.awards.states import Remedy
from grants.calls.rules import GROUND_WORDS, ComplaintRules
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
    text = TextAreaField("What was done wrong, and what shows it?", [CharactersMax(40_000)])
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

    member_one = SelectField("First of the committee", [Needed("Choose a person.")])
    member_two = SelectField("Second of the committee", [Needed("Choose a person.")])

    def offer(self, people: Iterable[tuple[UUID, str]]) -> None:
        """Who may be named."""
        shown = [("", "Choose a person"), *((str(key), name) for key, name in people)]
        self.member_one.choices = self.member_two.choices = choices(shown)

    def to_input(self) -> tuple[UUID, UUID]:
        """The two; both are needed."""
        one, two = _id(self.member_one.data), _id(self.member_two.data)
        assert one is not None and two is not None, "both are needed"
        return one, two


class MoreTimeForm(ContestedForm):
    """A later day, and why."""

    day = DateField("Decided by")
    reason = TextAreaField("Why is more time needed?", [LONG])
    view: ComplaintView | None = None
    zone = ""

    def offer(self, view: ComplaintView, zone: str) -> None:
        """The complaint it is about, for what is wrong with the day."""
        self.view, self.zone = view, zone

    def checks(self) -> Iterable[Callable[[], object]]:
        """A later day, and the reason."""
        assert self.view is not None, "the complaint is offered first"
        day, decide_at, words = self.day.data, self.view.decide_at, self.reason.data or ""
        yield lambda: checked_extension(day, decide_at, self.zone, words)


class ProposeForm(ContestedForm):
    """What one of the committee proposes."""

    upholds = RadioField(
        "The complaint is", choices=choices([("yes", "Upheld"), ("no", "Rejected")]), validate_choice=False
    )
    remedy = RadioField("What follows, if it is upheld", [Optional()])
    text = TextAreaField("Reasons", [LONG])
    despite = TextAreaField("Why is the outcome corrected although that breaks a rule of the list?", [Optional(), LONG])
    about: ApplicationState | None = None

    def checks(self) -> Iterable[Callable[[], object]]:
        """A decision, what follows, and the reasons."""
        about = self.about
        assert about is not None, "the complaint is offered first"
        yield lambda: self.to_input().checked(about)

    def offer(self, view: ComplaintView) -> None:
        """The remedies of the result it is about."""
        self.about = view.about
        self.remedy.choices = choices((each.value, REMEDY_WORDS[each]) for each in REMEDIES[view.about])

    def to_input(self) -> SecondDecision:
        """The frozen input."""
        upholds = {"yes": True, "no": False}.get(self.upholds.data or "")
        remedy = self.remedy.data if self.remedy.data in {each.value for each in Remedy} else None
        return SecondDecision(
            upholds, Remedy(remedy) if remedy else None, self.text.data or "", self.despite.data or ""
        )


class ReturnDecisionForm(ContestedForm):
    """Giving a proposal back."""

    reason = TextAreaField("What must be different?", [LONG])
