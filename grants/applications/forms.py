"""Forms of applications: what was typed becomes a frozen input; choices are handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    FileField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from grants.applications.rules import (
    DUTIES,
    MEMBER_ROLES,
    TITLES,
    BatchPick,
    ClarificationInput,
    CommentInput,
    ConditionAnswer,
    DetailsInput,
    InviteInput,
    ListFilter,
    PersonInput,
    StartInput,
)
from grants.applications.states import ApplicationState, Verdict
from grants.calls.rules import Condition
from grants.identity.rules import OrganisationInput
from grants.identity.states import OrganisationKind, Role
from grants.web.forms import A_PARAGRAPH, CheckboxesField, ContestedForm, DateField, Form, Needed, choices

PARTNER_KINDS = tuple(kind for kind in OrganisationKind if kind is not OrganisationKind.PROGRAMME)


class DeedForm(Form):
    """A deed without fields: only its key and, where there are many, which thing is meant."""

    thing = HiddenField()

    def thing_id(self) -> UUID | None:
        """The id of the thing meant, or None where what was sent is none."""
        try:
            return UUID(str(self.thing.data))
        except ValueError:
            return None


class DetailsForm(ContestedForm):
    """Title, short name, summary."""

    title = StringField("Title of the pilot", [Needed("Enter a title. You can change it until the deadline.")])
    acronym = StringField("Short name", [Optional()], description="As it will stand in lists, for example Warm Blocks.")
    about = TextAreaField("What it is about, in a few sentences", [Optional()])

    def to_input(self) -> DetailsInput:
        """What was typed."""
        return DetailsInput(self.title.data or "", self.acronym.data or "", self.about.data or "")


class StartForm(DetailsForm):
    """Title and the city that leads."""

    organisation = SelectField("Which organisation leads?", validate_choice=False)

    def to_start(self) -> StartInput:
        """What was typed and chosen; an unknown organisation is refused by the act."""
        try:
            chosen = UUID(str(self.organisation.data))
        except ValueError:
            chosen = UUID(int=0)
        return StartInput(chosen, self.to_input())


class InviteForm(Form):
    """Whom to invite, for a known organisation or a new one."""

    name = StringField("Name of the person", [Needed("Enter the name of the person who speaks for the partner.")])
    email = StringField(
        "Mail address",
        [Needed("Enter the mail address the invitation goes to.")],
        render_kw={"autocomplete": "off", "inputmode": "email"},
    )
    organisation_id = SelectField(
        "Organisation", validate_choice=False, description="Choose it here if it is in the list."
    )
    new_name = StringField("Official name of the organisation", [Optional()])
    kind = SelectField(
        "What it is",
        choices=choices((kind.value, kind.value.capitalize()) for kind in PARTNER_KINDS),
        validate_choice=False,
    )
    country_code = StringField("Country", [Optional()], description="Two letters, for example PL.")
    pic = StringField("PIC", [Optional()], description="The nine-digit EU participant number, if there is one.")
    sections = CheckboxesField(
        "Which sections do you ask of this person?",
        validators=[Optional()],
        validate_choice=False,
        description="The mail leads to each of them. You can change it at any time.",
    )

    def to_input(self) -> InviteInput:
        """What was typed: a chosen organisation, or a new one where a name was typed."""
        new = (self.new_name.data or "").strip()
        return InviteInput(
            email=self.email.data or "",
            name=self.name.data or "",
            organisation_id=_uuid(self.organisation_id.data),
            organisation=self._described(new) if new else None,
            sections=tuple(self.sections.data or ()),
        )

    def _described(self, name: str) -> OrganisationInput:
        kinds = {kind.value: kind for kind in PARTNER_KINDS}
        return OrganisationInput(
            name=name,
            kind=kinds.get(str(self.kind.data), OrganisationKind.MUNICIPALITY),
            country_code=(self.country_code.data or "").strip().upper(),
            pic=(self.pic.data or "").replace(" ", "") or None,
        )


class PersonForm(Form):
    """Whom to invite into the team, as what."""

    name = StringField("Name of the person", [Needed("Enter the name of the person.")], id="person-name")
    email = StringField(
        "Mail address",
        [Needed("Enter the mail address the invitation goes to.")],
        render_kw={"autocomplete": "off", "inputmode": "email"},
        id="person-email",
    )
    role = RadioField(
        "What do they do?",
        choices=choices((role.value, f"{TITLES[role]}: {DUTIES[role]}") for role in MEMBER_ROLES),
        validate_choice=False,
        default=MEMBER_ROLES[0].value,
        id="person-role",
    )
    sections = CheckboxesField(
        "Which sections do you ask of an editor?",
        validators=[Optional()],
        validate_choice=False,
        description="The mail leads to each of them.",
        id="person-sections",
    )

    def to_input(self) -> PersonInput:
        """What was typed; a role nobody may be given is refused by the act."""
        return PersonInput(
            self.email.data or "", self.name.data or "", chosen_role(self.role.data), tuple(self.sections.data or ())
        )


def chosen_role(value: object) -> Role:
    """The role of that name; for any other the lead's, which nobody is given."""
    return next((role for role in MEMBER_ROLES if role.value == value), Role.APPLICATION_LEAD)


class AskForm(DeedForm):
    """Of whom a section is asked; nothing chosen is nobody in particular."""

    person = SelectField("Who writes it?", validate_choice=False)

    def person_id(self) -> UUID | None:
        """The person chosen."""
        return _uuid(self.person.data)


class RoleForm(DeedForm):
    """Another role for one person."""

    role = SelectField(
        "Role", choices=choices((role.value, TITLES[role]) for role in MEMBER_ROLES), validate_choice=False
    )


class CommentForm(DeedForm):
    """What is said about a question; ``thing`` is the conversation it goes on with."""

    question = SelectField("Which question is it about?", validate_choice=False)
    comment = TextAreaField("Comment", [Needed("Write what you want to say, then send it.")])
    tell = CheckboxesField(
        "Who should be told by mail?",
        validators=[Optional()],
        validate_choice=False,
        description="Everybody of the team can read it here.",
    )

    def to_input(self) -> CommentInput:
        """What was said, and to whom it is mailed."""
        told = (_uuid(value) for value in self.tell.data or ())
        return CommentInput(self.comment.data or "", tuple(person for person in told if person))


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


class FileForm(Form):
    """Files for one place, several at once; or one newer version of the file named by ``thing``."""

    role = HiddenField()
    thing = HiddenField()
    file = MultipleFileField("Files", [Needed("Choose a file.")])

    def thing_id(self) -> UUID | None:
        """The id of the file to be replaced, or None where what was sent is none."""
        return _uuid(self.thing.data)


class FilledForm(Form):
    """A filled form of the call."""

    file = FileField("The filled file", [Needed("Choose the filled file.")])


class SubmitForm(Form):
    """Sending: the hash of what was looked at, and the statement the lead makes."""

    fingerprint = HiddenField()
    statement = BooleanField(
        "I am allowed to send this application for all partners, and what it says is right to my knowledge",
        [Needed("Confirm that you may send the application for all partners.")],
    )


class SignOffForm(DeedForm):
    """Signing off: which part, the hash of what was looked at, and the statement."""

    fingerprint = HiddenField()
    statement = BooleanField(
        "I have read it, and what it says is right to my knowledge", [Needed("Confirm that you have read it.")]
    )

    def part_id(self) -> UUID | None:
        """The organisation whose part it is; None for the whole."""
        return self.thing_id()


class ReasonForm(Form):
    """A deed that asks why."""

    reason = TextAreaField("Why?", [A_PARAGRAPH, Needed("Say why. The programme and your partners read it.")])


class DeclineForm(DeedForm):
    """Declining an invitation; a reason helps and is not demanded."""

    reason = TextAreaField("Why? (the lead city reads it)", [Optional(), A_PARAGRAPH])


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
        return _uuid(self.thing.data) or UUID(int=0)


class ClarifyForm(ContestedForm):
    """The answer to a question of the desk: a draft, or sent for good."""

    thing = HiddenField()
    answer = TextAreaField("Your answer", [Optional()])
    file = MultipleFileField("Files", [Optional()])

    def thing_id(self) -> UUID:
        """The request it answers; an id of nothing where what was sent is none."""
        return _uuid(self.thing.data) or UUID(int=0)


# More than a page shows are none of ours.
BATCH_PICKS_MAX = 500


class BatchForm(Form):
    """Which applications are passed in one go, each with the version whose facts were shown."""

    def picks(self, sent: Sequence[str]) -> tuple[BatchPick, ...]:
        """What was ticked; what is no pair of ids is left out."""
        pairs = [text.partition("|") for text in sent[:BATCH_PICKS_MAX]]
        ids = [(_uuid(first), _uuid(second)) for first, _, second in pairs]
        return tuple(BatchPick(first, second) for first, second in ids if first and second)


class LettersForm(Form):
    """Which letters are sent, each with the hash of what was shown."""

    def letters(self, sent: Sequence[str]) -> tuple[tuple[UUID, str], ...]:
        """What was ticked; what is no id with a hash is left out."""
        pairs = [text.partition("|") for text in sent[:BATCH_PICKS_MAX]]
        found = [(_uuid(first), second[:64]) for first, _, second in pairs]
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


def list_filter(arguments: MultiDict[str, str]) -> ListFilter:
    """What the address of a list asks for; nonsense counts as not asked."""
    known = {state.value: state for state in ApplicationState}
    return ListFilter(
        call_slug=arguments.get("call", ""),
        states=tuple(known[name] for name in arguments.getlist("state") if name in known),
        country_code=arguments.get("country", "").upper()[:2],
        search=arguments.get("q", "")[:200],
    )
