"""Forms of awards: the decision on a ranked list, its confirmation, its return, the publication of results."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from wtforms import HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import NumberRange, Optional

from grants.awards.rules import DecisionInput, Plan, ScenarioInput, override_lines, read_overrides
from grants.awards.states import LineRule
from grants.calls.rules import CallView, ResultsInput, SelectionRules
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid, Refused
from grants.web.forms import ContestedForm, DateField, Needed, TimeField, choices

LINE_WORDS = {
    LineRule.STOP: "Stop at the first application that asks for more than is left",
    LineRule.SKIP: "Go on and fund what still fits",
}


class DecisionForm(ContestedForm):
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

    def now_of(self, list_hash: str) -> None:
        """The next sending is a new deed, in sight of the list that is on the page now."""
        self.list_hash.data, self.list_hash.raw_data = list_hash, [list_hash]
        self.act_key.data, self.act_key.raw_data = secrets.token_urlsafe(18), None

    def order(self) -> tuple[str, ...]:
        """The references the panel put in order."""
        return tuple(line.strip() for line in (self.panel_order.data or "").splitlines() if line.strip())

    def to_input(self) -> DecisionInput:
        """The frozen input."""
        line = LineRule(self.line.data or LineRule.STOP.value)
        return DecisionInput(
            self.list_hash.data or "", self.reason.data or "", line, self.reserve_max.data, self.order()
        )


class ScenarioForm(ContestedForm):
    """A scenario: its name, its rules, and each application that departs from the list, with the reason."""

    title = StringField("Name of the scenario", [Needed("Give the scenario a name.")])
    line = RadioField(
        "Below the line", choices=choices((rule.value, words) for rule, words in LINE_WORDS.items()), default="stop"
    )
    reserve_max = IntegerField("Places on the reserve list", [Optional(), NumberRange(0, 500)])
    country_max = IntegerField("Most applications from one country", [Optional(), NumberRange(1, 500)])
    countries_min = IntegerField("Least number of countries", [Optional(), NumberRange(1, 100)])
    small_cities_min = IntegerField("Least number of small cities", [Optional(), NumberRange(1, 500)])
    cut = IntegerField("Cut every amount by, percent", [Optional(), NumberRange(0, 50)])
    exclusive = TextAreaField(
        "Applications of which at most one is selected", description="One group a line, references with commas between."
    )
    overrides = TextAreaField(
        "Departures from the list",
        description="One a line: reference; place; amount; conditions; reason. Parts may stay empty, but not the reason.",
    )

    def to_input(self, call: SelectionRules, number: int | None = None) -> ScenarioInput:
        """The frozen input; what the form does not ask stays as the call has it."""
        selection = replace(
            call,
            fund_what_fits=self.line.data == LineRule.SKIP.value,
            reserve_max=self.reserve_max.data,
            country_max=self.country_max.data,
            countries_min=self.countries_min.data,
            small_cities_min=self.small_cities_min.data,
        )
        groups = [
            [ref.strip() for ref in line.split(",") if ref.strip()] for line in (self.exclusive.data or "").splitlines()
        ]
        plan = Plan(
            selection,
            exclusive=tuple(tuple(group) for group in groups if len(group) > 1),
            overrides=read_overrides(self.overrides.data or ""),
            cut_percent=Fraction(self.cut.data or 0),
        )
        return ScenarioInput(self.title.data or "", plan, number, self.version_shown() if number else None)

    @classmethod
    def of(cls, name: str, plan: Plan, version: int | None = None) -> ScenarioForm:
        """The form with what stands."""
        return cls(
            formdata=None, title=name, line=plan.line.value, reserve_max=plan.rules.reserve_max,
            country_max=plan.rules.country_max, countries_min=plan.rules.countries_min,
            small_cities_min=plan.rules.small_cities_min, cut=int(plan.cut_percent) or None,
            exclusive="\n".join(", ".join(group) for group in plan.exclusive), overrides=override_lines(plan.overrides),
            version="" if version is None else str(version),
        )  # fmt: skip


class ChooseForm(ContestedForm):
    """A scenario is chosen: the list it makes is decided, as the page showed it."""

    list_hash = HiddenField()
    reason = TextAreaField("Why this scenario", [Needed("Write why this scenario is chosen.")])


class ConfirmForm(ContestedForm):
    """The second person confirms."""


class ReturnForm(ContestedForm):
    """The second person gives the list back."""

    reason = TextAreaField("What must be different", [Needed("Write what must be different before it is confirmed.")])


class MoveForm(ContestedForm):
    """Somebody decides that the next of the reserve list moves up; ``reference`` is whom the page proposed."""

    reference = HiddenField()
    reason = TextAreaField("Reason", [Needed("Write why the next of the reserve list moves up.")])


class PublishForm(ContestedForm):
    """From when the results are public: at once, or from a day and time on the clock of the call."""

    when = RadioField(
        "From when",
        choices=choices([("now", "At once"), ("later", "From a later day and time")]),
        validators=[Needed("Choose from when the results are public.")],
    )
    day = DateField("Day")
    time = TimeField("Time")
    fold = RadioField(
        "If the clocks go back that night and this time comes twice",
        choices=choices(
            [("", "It does not"), (Fold.EARLIER.value, "The first one"), (Fold.LATER.value, "The second one")]
        ),
        default="",
    )

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Where “At once” is chosen, what stands in the other fields is not read."""
        if self.when.data == "now":
            for field in (self.day, self.time, self.fold):
                field.process(None, "" if field is self.fold else None)
        return bool(super().validate(*args, **kwargs))

    def to_input(self) -> ResultsInput:
        """The moment as its frozen value; raises :class:`Invalid` where a later one is not complete."""
        if self.when.data == "now":
            return ResultsInput()
        if self.day.data is None or self.time.data is None:
            wrong = {
                "day": "" if self.day.data else "Enter the day, for example 1 March 2023, or choose “At once”.",
                "time": "" if self.time.data else "Enter the time on the 24-hour clock, for example 9:00.",
            }
            raise Invalid("The moment is not complete.", {name: words for name, words in wrong.items() if words})
        fold = Fold(self.fold.data) if self.fold.data else None
        return ResultsInput(datetime.combine(self.day.data, self.time.data), fold)

    def add_problem(self, error: Invalid | Refused) -> None:
        """What is wrong with the local time stands beside the day."""
        problems = dict(getattr(error, "problems", {}))
        if "local" in problems:
            problems["day"] = problems.pop("local")
            error = Invalid(str(error), problems)
        super().add_problem(error)

    @classmethod
    def of(cls, call: CallView) -> PublishForm:
        """The form with what stands."""
        if call.results_public_at is None:
            return cls(version=str(call.version))
        stands = clock.in_zone(call.results_public_at, call.zone)
        return cls(version=str(call.version), when="later", day=stands.date(), time=stands.time())
