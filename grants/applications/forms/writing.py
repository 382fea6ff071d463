"""Forms of a team that writes: how an application begins, its details, its comments and files."""

from __future__ import annotations

from collections.abc import Container, Sequence
from uuid import UUID

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

from grants.applications.forms.deeds import DeedForm, uuid_of
from grants.applications.rules import ApplicationView, CommentInput, DetailsInput, FollowInput, PartnerView, StartInput
from grants.calls.rules.privacy import NoticeAsked
from grants.core.errors import Invalid, Refused
from grants.web.forms import CheckboxesField, ContestedForm, Form, Needed, choices


class DetailsForm(ContestedForm):
    """Title, short name, summary."""

    title = StringField("Title of the pilot", [Needed("Enter a title. You can change it until the deadline.")])
    acronym = StringField("Short name", [Optional()], description="As it will stand in lists, for example Warm Blocks.")
    about = TextAreaField("What it is about, in a few sentences", [Optional()])

    def to_input(self) -> DetailsInput:
        """What was typed."""
        return DetailsInput(self.title.data or "", self.acronym.data or "", self.about.data or "")


class BeginForm(DetailsForm):
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


class StartForm(BeginForm):
    """Title and the city that leads."""

    organisation = SelectField("Which organisation leads?", validate_choice=False)

    def to_start(self) -> StartInput:
        """What was typed and chosen; an unknown organisation is refused by the act."""
        try:
            chosen = UUID(str(self.organisation.data))
        except ValueError:
            chosen = UUID(int=0)
        return StartInput(chosen, self.to_input(), self.notice_read())


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
        told = (uuid_of(value) for value in self.tell.data or ())
        return CommentInput(self.comment.data or "", tuple(person for person in told if person))


class FileForm(Form):
    """Files for one place, several at once; or one newer version of the file named by ``thing``."""

    role = HiddenField()
    thing = HiddenField()
    file = MultipleFileField("Files", [Needed("Choose a file.")])

    def thing_id(self) -> UUID | None:
        """The id of the file to be replaced, or None where what was sent is none."""
        return uuid_of(self.thing.data)


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


class FollowForm(BeginForm):
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
        organisations = tuple(found for each in self.partners.data or () if (found := uuid_of(each)))
        return FollowInput(self.to_input(), organisations, tuple(self.answers.data or ()), self.notice_read())


class ServingForm(Form):
    """What an application serves; its lines are read by the view, for their names are those of the lists.

    ``wrong`` is what is wrong with a line, by the name of its field.
    """

    mark = HiddenField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.wrong: dict[str, str] = {}

    def add_problem(self, error: Invalid | Refused, but_not: Container[str] = ()) -> None:
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
