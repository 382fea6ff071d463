"""Forms of evaluation: declarations and score sheets are made for the rows they are about; all give frozen inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.calls.rules import Criterion
from grants.core import clock
from grants.core.errors import Invalid
from grants.evaluation import rules
from grants.evaluation.rules import (
    Answered,
    ConflictPage,
    ConsensusPage,
    EvaluatorInput,
    MarkInput,
    PoolMember,
    RunInput,
    SheetInput,
    SheetView,
)
from grants.evaluation.states import CountryRule, Declared, Ruling
from grants.web.forms import CheckboxesField, ContestedForm, DateField, Form, Needed, choices

# Typed text is shown again as it was; the limit of the rules answers what is longer.
ANSWERS = choices((each.value, each.words) for each in (Declared.NONE, Declared.CONFLICT, Declared.UNSURE))


class ConflictsForm(Form):
    """Base of the form that :func:`conflicts_form` makes for the rows of one call."""

    application_ids: tuple[UUID, ...] = ()
    quiet_ids: frozenset[UUID] = frozenset()

    def row(self, application_id: UUID) -> tuple[Any, Any]:
        """The two fields of one application."""
        return self[f"declared_{application_id}"], self[f"reason_{application_id}"]

    def to_input(self) -> tuple[Answered, ...]:
        """What was answered; rows without an answer are left open."""
        answers = []
        for application_id in self.application_ids:
            declared, reason = self.row(application_id)
            if declared.data:
                answers.append(Answered(application_id, Declared(declared.data), reason.data or ""))
        return tuple(answers)

    def to_input_with_rest(self) -> tuple[Answered, ...]:
        """The same, and “None” for every open row where nothing was noticed."""
        given = self.to_input()
        answered = {answer.application_id for answer in given}
        rest = (key for key in self.application_ids if key in self.quiet_ids and key not in answered)
        return (*given, *(Answered(key, Declared.NONE) for key in rest))


def conflicts_form(shown: ConflictPage) -> ConflictsForm:
    """A form with a choice and a reason for each application of the page."""
    fields: dict[str, Any] = {}
    for row in shown.rows:
        stored = row.declared.value if row.declared else None
        fields[f"declared_{row.application_id}"] = RadioField(
            f"Conflict with {row.title}?", [Optional()], choices=ANSWERS, default=stored
        )
        fields[f"reason_{row.application_id}"] = StringField(f"Reason, {row.title}", default=row.reason)
    fields["application_ids"] = tuple(row.application_id for row in shown.rows)
    fields["quiet_ids"] = frozenset(row.application_id for row in shown.rows if not row.noticed)
    form: ConflictsForm = type("RowsForm", (ConflictsForm,), fields)()
    return form


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


class ReasonForm(Form):
    """A deed with a reason."""

    reason = TextAreaField("Reason", [Needed("Write the reason; it is kept on the record.")])


class SettleForm(ContestedForm):
    """Closing a consensus with a view that could not be reconciled."""

    minority_view = TextAreaField("The view that remains")


class RuleForm(ContestedForm):
    """The manager's ruling on a declaration."""

    ruling = RadioField(
        "Ruling",
        [Needed("Choose what you decide.")],
        choices=choices(
            (
                (Ruling.CONFIRMED.value, "There is a conflict: keep this person away from the application"),
                (Ruling.CLEARED.value, "There is no conflict: this person may open the application"),
            )
        ),
    )
    reason = TextAreaField("Reason", [Needed("Write the reason; it is kept on the record.")])


class RunForm(Form):
    """What a manager chooses for a run of the exact assignment."""

    due_on = DateField("Assessments are due on", description="The end of that day, Brussels time. May stay empty.")
    seed = StringField(
        "Seed", description="Decides between equally good assignments, always the same way. Any word or number."
    )
    keep_countries_apart = RadioField(
        "Evaluators from a country of the consortium",
        choices=choices(
            ((CountryRule.KEPT_AWAY.value, "Keep them away from it"), (CountryRule.ALLOWED.value, "Allow them"))
        ),
        default=CountryRule.KEPT_AWAY.value,
    )

    def to_input(self) -> RunInput:
        """The frozen input."""
        countries = CountryRule(self.keep_countries_apart.data or CountryRule.KEPT_AWAY.value)
        return RunInput(self.seed.data or "", end_of(self.due_on.data), countries)


class FillForm(Form):
    """An empty seat filled by hand."""

    evaluator = RadioField("Evaluator", [Needed("Choose an evaluator.")])
    due_on = DateField("The assessment is due on", description="May stay empty.")
    reason = TextAreaField("Why this evaluator", [Needed("Write the reason; it is kept on the record.")])

    def with_people(self, lines: Iterable[tuple[PoolMember, str, int]]) -> FillForm:
        """The same form with the people who may take the seat."""
        self.evaluator.choices = choices(
            (member.handle, f"{member.name}, fit {fit} of 1000, has {member.load} of {member.load_max}")
            for member, reason, fit in lines
            if not reason
        )
        return self


class PoolForm(ContestedForm):
    """A person for the pool of a call."""

    person = SelectField("Person", [Needed("Choose a person.")])
    country_code = StringField("Country", description="Two letters, for example FI.")
    languages = StringField("Languages", description="Two letters each, for example en, fr.")
    topics = CheckboxesField("Topics they know")
    load_min = IntegerField("Least number of applications", default=0)
    load_max = IntegerField("Largest number of applications", default=10)

    def with_choices(self, people: Sequence[tuple[UUID, str]], topics: Sequence[tuple[str, str]]) -> PoolForm:
        """The same form with its people and topics."""
        self.person.choices = choices((str(user_id), name) for user_id, name in people)
        self.topics.choices = choices(topics)
        return self

    def filled(self, member: PoolMember) -> PoolForm:
        """The same form with what is stored about a member."""
        self.person.data, self.country_code.data = str(member.user_id), member.country_code
        self.languages.data, self.topics.data = ", ".join(member.languages), list(member.topics)
        self.load_min.data, self.load_max.data, self.version.data = (
            member.load_min,
            member.load_max,
            str(member.version),
        )
        return self

    def to_input(self) -> EvaluatorInput:
        """The frozen input; raises :class:`Invalid` where a number is missing."""
        if self.load_min.data is None or self.load_max.data is None:
            raise Invalid("The loads are missing.", {"load_max": "Enter both numbers of applications."})
        languages = tuple((self.languages.data or "").replace(";", ",").split(","))
        return EvaluatorInput(
            UUID(self.person.data),
            self.country_code.data or "",
            languages,
            tuple(self.topics.data or ()),
            self.load_min.data,
            self.load_max.data,
        )


def end_of(day: Any) -> datetime | None:
    """The last minute of a day in Brussels, or None."""
    return None if day is None else clock.local_to_utc(datetime.combine(day, time(23, 59)), clock.BRUSSELS)
