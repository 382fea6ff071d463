"""Forms of scenarios and of moves up from the reserve list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from wtforms import BooleanField, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.awards.forms.selections import DESPITE, LINE_WORDS, REDRAWN
from grants.awards.rules import (
    Override,
    Plan,
    ScenarioInput,
    departing_words,
    override_lines,
    read_groups,
    read_overrides,
    read_strands,
    strand_lines,
    takes_amounts,
)
from grants.awards.states import LineRule
from grants.calls.rules import SelectionRules
from grants.core.errors import Invalid
from grants.core.money import ZERO
from grants.dossiers.rules import clean_text
from grants.web.forms import (
    A_PAGE,
    A_PARAGRAPH,
    Between,
    CharactersMax,
    ContestedForm,
    DeedForm,
    MoneyField,
    Needed,
    choices,
)

DEPARTURES = CharactersMax(100_000)


class SolveForm(DeedForm):
    """The button that asks for what takes a solver."""

    back = HiddenField()


class ScenarioForm(ContestedForm):
    """A scenario: its name, its rules, and each application that departs from the list, with the reason."""

    title = StringField("Name of the scenario", [Needed("Give the scenario a name.")])
    line = RadioField(
        "Below the line", choices=choices((rule.value, words) for rule, words in LINE_WORDS.items()), default="stop"
    )
    reserve_max = IntegerField("Places on the reserve list", [Optional(), Between(0, 500)])
    country_max = IntegerField("Most applications from one country", [Optional(), Between(1, 500)])
    country_amount_max = MoneyField("Most money for one country together, in EUR", [Optional()])
    countries_min = IntegerField("Least number of countries", [Optional(), Between(1, 100)])
    small_cities_min = IntegerField("Least number of small cities", [Optional(), Between(1, 500)])
    one_per_city = BooleanField("A city takes part in at most one selected application")
    strands = TextAreaField(
        "Strands of the budget",
        [A_PAGE],
        description="One a line: name; for applications that ask for up to; most for the strand together. Amounts in EUR.",
    )
    cut = IntegerField("Cut every amount by, percent", [Optional(), Between(0, 50)])
    exclusive = TextAreaField(
        "Applications of which at most one is selected",
        [A_PAGE],
        description="One group a line, references with commas between.",
    )
    why = TextAreaField(
        "Why these rules",
        [A_PARAGRAPH],
        description="Needed where a rule is another than the call published. It is frozen with the list and shown to whoever confirms.",
    )
    overrides = TextAreaField(
        "Departures from the list",
        [DEPARTURES],
    )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A name that is not too long, groups and departures that can be read."""
        yield ScenarioInput(self.title.data or "", Plan()).checked
        yield lambda: read_strands(self.strands.data or "")
        yield self._some_money
        yield lambda: read_groups(self.exclusive.data or "")
        yield lambda: read_overrides(self.overrides.data or "")

    def _some_money(self) -> None:
        if self.country_amount_max.data is not None and self.country_amount_max.data <= ZERO:
            raise Invalid("", {"country_amount_max": "Write an amount above zero, or leave it empty for no limit."})

    def by_rules(self, call: SelectionRules, draws: bool) -> None:
        """Ask only for the departures this call lets a scenario make."""
        _, self.overrides.description = departing_words(call, draws)
        # What was typed stays in sight; what would only be refused is not asked.
        if not takes_amounts(call) and not self.cut.data and not self.cut.errors:
            del self.cut

    def to_input(self, call: SelectionRules, number: int | None = None) -> ScenarioInput:
        """The frozen input; what the form does not ask stays as the call has it."""
        plan = self._plan(call, read_groups(self.exclusive.data or ""), read_overrides(self.overrides.data or ""))
        return ScenarioInput(self.title.data or "", plan, number, self.version_shown() if number else None)

    def readable(self, call: SelectionRules) -> Plan:
        """The plan as far as it can be read, to be held against the list although the form is wrong by itself."""
        groups = () if self.exclusive.errors else read_groups(self.exclusive.data or "")
        return self._plan(call, groups, () if self.overrides.errors else read_overrides(self.overrides.data or ""))

    def _plan(
        self, call: SelectionRules, exclusive: tuple[tuple[str, ...], ...], overrides: tuple[Override, ...]
    ) -> Plan:
        asked = (self.reserve_max, self.country_max, self.country_amount_max, self.countries_min, self.small_cities_min)
        # What cannot be read departs from nothing.
        read: dict[str, Any] = {field.short_name: field.data for field in asked if not field.errors}
        if not self.strands.errors:
            read["strands"] = read_strands(self.strands.data or "")
        read["one_per_city"] = bool(self.one_per_city.data)
        selection = replace(call, fund_what_fits=self.line.data == LineRule.SKIP.value, **read)
        return Plan(
            selection,
            exclusive=exclusive,
            overrides=overrides,
            cut_percent=Fraction(self.cut.data or 0),
            reason=clean_text(self.why.data or ""),
        )

    @classmethod
    def of(cls, name: str, plan: Plan, version: int | None = None) -> ScenarioForm:
        """The form with what stands."""
        return cls(
            formdata=None, title=name, line=plan.line.value, reserve_max=plan.rules.reserve_max,
            country_max=plan.rules.country_max, countries_min=plan.rules.countries_min,
            country_amount_max=plan.rules.country_amount_max, one_per_city=plan.rules.one_per_city,
            strands=strand_lines(plan.rules.strands), small_cities_min=plan.rules.small_cities_min, cut=int(plan.cut_percent) or None,
            exclusive="\n".join(", ".join(group) for group in plan.exclusive), overrides=override_lines(plan.overrides), why=plan.reason,
            version="" if version is None else str(version),
        )  # fmt: skip


class ChooseForm(ContestedForm):
    """A scenario is chosen: the list it makes is decided, as the page showed it."""

    list_hash = HiddenField()
    reason = TextAreaField("Why this scenario", [Needed("Write why this scenario is chosen."), A_PARAGRAPH])
    despite = TextAreaField(DESPITE, [Optional(), A_PARAGRAPH])
    redrawn = TextAreaField(REDRAWN, [Optional(), A_PARAGRAPH])


class MoveForm(ContestedForm):
    """Somebody decides that the next of the reserve list moves up; ``reference`` is whom the page proposed."""

    reference = HiddenField()
    reason = TextAreaField("Reason", [Needed("Write why the next of the reserve list moves up."), A_PARAGRAPH])
