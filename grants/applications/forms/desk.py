"""Forms of the eligibility desk and of the programme: conditions, questions, letters, batches, more time, invitations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from wtforms import HiddenField, MultipleFileField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.applications.forms.deeds import uuid_of
from grants.applications.rules import BatchPick, ClarificationInput, ConditionAnswer
from grants.applications.states import Verdict
from grants.calls.forms import DeadlineForm
from grants.calls.rules import Condition
from grants.web.forms import (
    A_PARAGRAPH,
    CharactersMax,
    CheckboxesField,
    ContestedForm,
    DateField,
    Form,
    Needed,
    choices,
)


class OneExtensionForm(DeadlineForm):
    """More time for one applicant: whose by its reference, until when, why."""

    reference = StringField(
        "Reference of the application", [Needed("Enter the reference, for example PCP-2027-A-0042.")]
    )
    reason = TextAreaField(
        "Reason, for everybody to read", [Needed("Say why this applicant gets more time."), CharactersMax(1000)]
    )
    public_note = TextAreaField(
        "Note to the applicant", [Needed("Write the note the team will read."), CharactersMax(2000)]
    )


class CheckForm(ContestedForm):
    """The desk's answers: for each condition pass or fail, and a reason. Built by :func:`check_form`."""

    remark = TextAreaField(
        "A sentence for the applicant",
        [Optional(), A_PARAGRAPH],
        description="Goes into the mail with the verdict. Without one, the reasons of the failed conditions go in.",
    )

    conditions: tuple[Condition, ...] = ()

    def typed(self) -> list[tuple[str, str]]:
        """Each condition with what was chosen and typed for it, for a page on which the form itself stands no more."""
        chosen = {Verdict.PASS: "Met", Verdict.FAIL: "Not met", None: ""}
        given = zip(self.conditions, self.answers(), strict=True)
        said = [(c.rule, ". ".join(filter(None, (chosen[a.verdict], a.reason)))) for c, a in given]
        remark = (str(self.remark.label.text), str(self.remark.data or ""))
        return [(label, text) for label, text in (*said, remark) if text]

    def answers(self) -> tuple[ConditionAnswer, ...]:
        """Every condition with what was chosen and typed."""
        known = {verdict.value: verdict for verdict in Verdict}
        return tuple(
            ConditionAnswer(
                condition.key,
                known.get(str(self._fields[f"verdict_{condition.key}"].data)),
                str(self._fields[f"reason_{condition.key}"].data or ""),
            )
            for condition in self.conditions
        )


class QuestionForm(Form):
    """What the desk asks of the applicant, about which conditions and questions, and until when."""

    text = TextAreaField("What do you want to know?", [A_PARAGRAPH, Needed("Write what you want to know.")])
    conditions = CheckboxesField("Which conditions is it about?", validate_choice=False)
    questions = CheckboxesField("Which questions of the form?", validate_choice=False)
    due_on = DateField("Answer until the end of", [Optional()])

    def to_input(self) -> ClarificationInput:
        """What was typed; the day may be left to the call."""
        return ClarificationInput(
            self.text.data or "",
            tuple(map(str, self.conditions.data or ())),
            tuple(map(str, self.questions.data or ())),
            self.due_on.data,
        )


class MoreTimeForm(Form):
    """A later day, or no answer needed any more, with the reason."""

    thing = HiddenField()
    due_on = DateField("New day", [Optional()])
    reason = TextAreaField("Why?", [A_PARAGRAPH, Needed("Say why. The applicant reads it.")])

    def thing_id(self) -> UUID:
        """The request it is about; an id of nothing where what was sent is none."""
        return uuid_of(self.thing.data) or UUID(int=0)


class ClarifyForm(ContestedForm):
    """The answer to a question of the desk: a draft, or sent for good."""

    thing = HiddenField()
    answer = TextAreaField("Your answer", [Optional()])
    file = MultipleFileField("Files", [Optional()])

    def thing_id(self) -> UUID:
        """The request it answers; an id of nothing where what was sent is none."""
        return uuid_of(self.thing.data) or UUID(int=0)


# More than a page shows are none of ours.
BATCH_PICKS_MAX = 500


def unticked(shown: Sequence[str], ticked: Sequence[str]) -> tuple[str, ...]:
    """The references of what a page offered with a tick that was taken away: ``shown`` are ``reference|value``.

    >>> unticked(["A-1|x|y", "A-2|z|y"], ["z|y"])
    ('A-1',)
    """
    pairs = (text.partition("|") for text in shown[:BATCH_PICKS_MAX])
    return tuple(reference for reference, _, value in pairs if value not in ticked)


class BatchForm(Form):
    """Which applications are passed in one go, each with the version whose facts were shown."""

    def picks(self, sent: Sequence[str]) -> tuple[BatchPick, ...]:
        """What was ticked; what is no pair of ids is left out."""
        pairs = [text.partition("|") for text in sent[:BATCH_PICKS_MAX]]
        ids = [(uuid_of(first), uuid_of(second)) for first, _, second in pairs]
        return tuple(BatchPick(first, second) for first, second in ids if first and second)


class LettersForm(Form):
    """Which letters are sent, each with the hash of what was shown."""

    def letters(self, sent: Sequence[str]) -> tuple[tuple[UUID, str], ...]:
        """What was ticked; what is no id with a hash is left out."""
        pairs = [text.partition("|") for text in sent[:BATCH_PICKS_MAX]]
        found = [(uuid_of(first), second[:64]) for first, _, second in pairs]
        return tuple((key, sha256) for key, sha256 in found if key and sha256)


class LetterForm(ContestedForm):
    """Words of one's own in a letter."""

    note = TextAreaField(
        "Words of your own", [Optional(), A_PARAGRAPH], description="Stands after the verdict. Up to 300 words."
    )


class RefusalForm(ContestedForm):
    """The second person agrees that an application is not eligible, or gives the verdict back with a reason."""

    why = TextAreaField(
        "Why you give it back", [Optional(), A_PARAGRAPH], description="Only if you do not agree. The officer reads it."
    )


def check_form(conditions: Sequence[Condition], answers: Mapping[str, ConditionAnswer], version: int) -> CheckForm:
    """The form of the conditions of one call, filled with what was answered before."""
    fields: dict[str, object] = {"conditions": tuple(conditions)}
    stored: dict[str, object] = {"version": str(version)}
    for condition in conditions:
        fields[f"verdict_{condition.key}"] = RadioField(
            "Is it met?",
            choices=choices([(Verdict.PASS.value, "Met"), (Verdict.FAIL.value, "Not met")]),
            validate_choice=False,
            id=f"condition-{condition.key}",
        )
        fields[f"reason_{condition.key}"] = TextAreaField(
            "Reason", [Optional(), A_PARAGRAPH], description="Needed where the condition is not met."
        )
        answer = answers.get(condition.key)
        if answer is not None and answer.verdict is not None:
            stored[f"verdict_{condition.key}"] = answer.verdict.value
            stored[f"reason_{condition.key}"] = answer.reason
    made: type[CheckForm] = type("CheckForm", (CheckForm,), fields)
    return made(data=stored)


class InviteConceptsForm(Form):
    """Which concepts are invited to the second stage, and what their leads are told."""

    concepts = CheckboxesField("Concepts", validate_choice=False)
    note = TextAreaField("Note to those invited", [Optional(), A_PARAGRAPH])

    def chosen(self) -> tuple[UUID, ...]:
        """The ids ticked; what is none names nothing."""
        return tuple(found for each in self.concepts.data or () if (found := uuid_of(each)))
