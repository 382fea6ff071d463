"""Forms of applications: what was typed becomes a frozen input; choices are handed in."""

from __future__ import annotations

import re
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
from wtforms.validators import Length, Optional

from grants.applications.rules import (
    DUTIES,
    MEMBER_ROLES,
    TITLES,
    ApplicationView,
    BatchPick,
    ClarificationInput,
    CommentInput,
    ConditionAnswer,
    DetailsInput,
    FollowInput,
    InviteInput,
    PartnerView,
    PersonInput,
    StartInput,
    TrialApplicant,
    TrialContent,
)
from grants.applications.rules.listing import Listing, read_listing
from grants.applications.rules.saving import SavedListInput, Sharing
from grants.applications.states import Verdict
from grants.calls.forms import DeadlineForm
from grants.calls.rules import ORGANISATION_WORDS, Condition
from grants.calls.rules.privacy import NoticeAsked
from grants.cities.rules import country_code
from grants.core.errors import Invalid, Refused
from grants.identity.rules import OrganisationInput, Person
from grants.identity.states import OrganisationKind, Role
from grants.web.forms import A_PARAGRAPH, CheckboxesField, ContestedForm, DateField, Form, Needed, choices


class OneExtensionForm(DeadlineForm):
    """More time for one applicant: whose by its reference, until when, why."""

    reference = StringField(
        "Reference of the application", [Needed("Enter the reference, for example PCP-2027-A-0042.")]
    )
    reason = TextAreaField(
        "Reason, for everybody to read", [Needed("Say why this applicant gets more time."), Length(max=1000)]
    )
    public_note = TextAreaField(
        "Note to the applicant", [Needed("Write the note the team will read."), Length(max=2000)]
    )


PARTNER_KINDS = tuple(kind for kind in OrganisationKind if kind is not OrganisationKind.PROGRAMME)


_KINDS = choices([(kind.value, ORGANISATION_WORDS.get(kind.value, kind.value).capitalize()) for kind in PARTNER_KINDS])


class DeedForm(Form):
    """A deed without fields: only its key and, where there are many, which thing is meant."""

    thing = HiddenField()
    # The privacy notice that whoever accepts has yet to read; no field.
    notice: NoticeAsked | None = None

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


class _BeginForm(DetailsForm):
    """How an application begins: its details, and that the privacy notice of the call was read, where it has one."""

    notice = BooleanField("I have read the privacy notice of this call")
    notice_number = HiddenField()

    def ask_notice(self, asked: NoticeAsked | None) -> None:
        """Carry the version that stands, whatever an older page sent."""
        self.notice_number.data, self.notice_number.raw_data = str(asked.number) if asked else "", None

    def notice_read(self) -> int | None:
        """The version that was ticked as read."""
        number = str(self.notice_number.data or "")
        return int(number) if self.notice.data and number.isdecimal() and len(number) < 6 else None


class StartForm(_BeginForm):
    """Title and the city that leads."""

    organisation = SelectField("Which organisation leads?", validate_choice=False)

    def to_start(self) -> StartInput:
        """What was typed and chosen; an unknown organisation is refused by the act."""
        try:
            chosen = UUID(str(self.organisation.data))
        except ValueError:
            chosen = UUID(int=0)
        return StartInput(chosen, self.to_input(), self.notice_read())


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


class FilledBudgetForm(Form):
    """A filled budget sheet, and how its writer writes numbers in text."""

    file = FileField("The filled workbook", [Needed("Choose the filled workbook.")])
    marks = RadioField(
        "Numbers that stand as text",
        choices=choices(
            [("", "Say where one can be read two ways"), ("dot", "1.234,50 or 1 234,50"), ("comma", "1,234.50")]
        ),
        default="",
        validate_choice=False,
    )


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


def listing_of(arguments: MultiDict[str, str]) -> Listing:
    """The list an address asks for; what it does not understand stands in its problems."""
    return read_listing(arguments.items(multi=True))


class _SharingFields(Form):
    """With whom a kept list is shared."""

    call = SelectField("Share with the team of a call", validate_choice=False)
    role = SelectField("Only with those who are", validate_choice=False)

    def to_sharing(self) -> Sharing:
        """What was chosen; an unknown call or role is refused by the act."""
        return Sharing(self.call.data or "", self.role.data or "")


class SaveListForm(_SharingFields):
    """The name of a list to be kept, or which kept one it takes the place of."""

    name = StringField("Name of the list", description="For example: To check, Poland.")
    instead = SelectField("Or in place of", validate_choice=False)
    first = BooleanField("Open the list of applications with it")

    def to_input(self, address: str) -> SavedListInput:
        """What was typed, with the list as the page had it."""
        return SavedListInput(self.name.data or "", address, self.to_sharing())


class SharingForm(_SharingFields):
    """With whom a kept list is shared from now on."""


class ListNameForm(Form):
    """Another name for a kept list."""

    name = StringField("Name of the list")


class TrialForm(Form):
    """Who applies in a dry run: an invented city, and one more organisation where that is to be tried too."""

    title = StringField("Title of the dry run", [Needed("Enter a title, for example Trial of the form."), A_PARAGRAPH])
    lead_name = StringField("Name of the invented city", [Needed("Enter a name, for example Testham."), A_PARAGRAPH])
    lead_kind = SelectField("Kind of organisation", choices=_KINDS)
    lead_country = StringField("Country code")
    lead_population = StringField("Inhabitants")
    lead_mission = BooleanField("It is a city of the Mission")
    lead_earlier = StringField("Took part in earlier calls", [A_PARAGRAPH])
    lead_pic = BooleanField("It has a participant code (PIC)", default=True)
    other_name = StringField("Name of a second organisation", [Optional(), A_PARAGRAPH])
    other_kind = SelectField("Kind of the second organisation", choices=_KINDS)
    other_country = StringField("Country code of the second")
    other_population = StringField("Inhabitants of the second")
    other_mission = BooleanField("The second is a city of the Mission")
    other_earlier = StringField("Earlier calls of the second", [A_PARAGRAPH])
    other_pic = BooleanField("The second has a participant code (PIC)", default=True)

    def to_input(self) -> TrialContent:
        """The dry run as it begins; raises :class:`Invalid` with a sentence beside each field."""
        problems: dict[str, str] = {}
        people = [self._applicant("lead", problems)]
        if (self.other_name.data or "").strip():
            people.append(self._applicant("other", problems))
        if problems:
            raise Invalid("The dry run was not begun.", problems)
        return TrialContent((self.title.data or "").strip(), tuple(people))

    def _applicant(self, prefix: str, problems: dict[str, str]) -> TrialApplicant:
        def typed(name: str) -> str:
            return str(self._fields[f"{prefix}_{name}"].data or "").strip()

        population = re.sub(r"[\s.,]", "", typed("population"))
        if population and not re.fullmatch("[0-9]{1,9}", population):
            problems[f"{prefix}_population"] = "Write the inhabitants as a number, for example 120 000."
        country = "BE"
        try:
            country = country_code(typed("country") or "BE")
        except Invalid as error:
            problems[f"{prefix}_country"] = str(error)
        return TrialApplicant(
            typed("name"),
            OrganisationKind(typed("kind")),
            country,
            int(population) if population and f"{prefix}_population" not in problems else None,
            bool(self._fields[f"{prefix}_mission"].data),
            tuple(word.strip() for word in typed("earlier").split(";") if word.strip()),
            bool(self._fields[f"{prefix}_pic"].data),
        )


class TrialFileForm(Form):
    """One file to be tried, for one place."""

    role = HiddenField()
    name = HiddenField()
    file = FileField("File")


class InviteConceptsForm(Form):
    """Which concepts are invited to the second stage, and what their leads are told."""

    concepts = CheckboxesField("Concepts", validate_choice=False)
    note = TextAreaField("Note to those invited", [Optional(), A_PARAGRAPH])

    def chosen(self) -> tuple[UUID, ...]:
        """The ids ticked; what is none names nothing."""
        return tuple(found for each in self.concepts.data or () if (found := _uuid(each)))


class FollowForm(_BeginForm):
    """The start of a full proposal: its details, and what of the concept is taken along."""

    partners = CheckboxesField("Partners to ask again", validate_choice=False)
    answers = CheckboxesField("Answers to take along", validate_choice=False)

    @classmethod
    def of(
        cls, concept: ApplicationView, partners: Sequence[PartnerView], answers: Sequence[tuple[str, str]]
    ) -> FollowForm:
        """The form with everything ticked that can be taken along."""
        form = cls(
            data={
                "title": concept.title,
                "acronym": concept.acronym or "",
                "about": concept.summary or "",
                "partners": [str(each.organisation_id) for each in partners],
                "answers": [key for key, _ in answers],
            }
        )
        form.partners.choices = choices((str(each.organisation_id), each.name) for each in partners)
        form.answers.choices = choices(answers)
        return form

    def to_follow(self) -> FollowInput:
        """What was typed and ticked."""
        organisations = tuple(found for each in self.partners.data or () if (found := _uuid(each)))
        return FollowInput(self.to_input(), organisations, tuple(self.answers.data or ()), self.notice_read())


class ServingForm(Form):
    """What an application serves; its lines are read by the view, for their names are those of the lists.

    ``wrong`` is what is wrong with a line, by the name of its field.
    """

    mark = HiddenField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.wrong: dict[str, str] = {}

    def add_problem(self, error: Invalid | Refused) -> None:
        """Sentences about single lines stand beside them."""
        self.wrong = dict(getattr(error, "problems", {}))
        self.problems.append(str(error))

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """The sentence of the whole, then each line's with the id of its field."""
        return [*super().what_is_wrong(), *((said, name.replace("_", "-")) for name, said in self.wrong.items())]

    def overtaken(self, sentence: str, mark: str) -> None:
        """Comes back after a clash with what was typed; sending it again is a new deed in sight of what stands."""
        self.problems.append(f"{sentence} What stands now is above; saving what you typed below replaces it.")
        self.try_again(0)
        self.mark.data, self.mark.raw_data = mark, None


class TakeoverForm(Form):
    """Who should lead instead, and why."""

    person = RadioField("Who should lead", choices=[], validators=[Needed("Choose one of the people.")])
    reason = TextAreaField("Why", [Needed("Say what you know of the lead, and why this person follows.")])

    def among(self, people: Sequence[Person]) -> TakeoverForm:
        """The form with the people who could lead."""
        self.person.choices = choices((str(each.id), each.name) for each in people)
        return self


class TakeoverRefusalForm(DeedForm):
    """Why somebody does not lead."""

    reason = StringField("Why not")
